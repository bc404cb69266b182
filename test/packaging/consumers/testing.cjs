const { sampleEvent, signDelivery, TEST_SECRET } = require('@scalekit-scim/core/testing')

const { headers } = signDelivery(sampleEvent('organization.directory.user_created'), { secret: TEST_SECRET })
console.log(headers['webhook-signature'].startsWith('v1,'))
