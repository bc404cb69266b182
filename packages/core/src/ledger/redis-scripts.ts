import { createHash } from 'node:crypto'

// judge.ts in Lua, with the state beside it: one script for each verb, so that each is one atomic step.
//
//   …:m:<id>        c<token>   claimed; expires with its lease
//                   d<token>   done; expires with its retention
//   …:r:<resource>  <fence><mark>[<watermark><applied>][<turn until><token>]; expires with the watermark's retention
//   …:s:<record>    the value as it is
//
// Fence, applied and turn are microseconds in 16 digits; a watermark is nanoseconds in 19, which no Lua number holds,
// so times are compared as text. The mark says what follows it: '-' no watermark, 'w' one, 't' a tombstone's.
//
// No script has a `#!lua` line: without one a server that is out of memory refuses the first write that may grow,
// and lets through what follows a write that may not. So `begin` starts with the growing one, and is refused whole;
// the others start by deleting or prolonging, and pass.

export interface Script {
  text: string
  sha1: string
}

const micros = '%d'.repeat(16)
const nanos = '%d'.repeat(19)

const preamble = `
local function foreign() return redis.error_reply('FOREIGN a key of ours holds what we did not write') end

-- fence, watermark with its mark and time of application, and whatever turn follows them
local function read_resource()
  local text = KEYS[2] and redis.call('GET', KEYS[2])
  if not text then return nil, '-', '' end
  local fence, mark, rest = string.match(text, '^(${micros})([-wt])(.*)$')
  if not fence then return nil end
  if mark == '-' then return fence, '-', rest end
  local applied = string.match(rest, '^${nanos}${micros}')
  if not applied then return nil end
  return fence, mark .. applied, string.sub(rest, 36)
end

local function micros_of(time) return time[1] .. string.format('%06d', time[2]) end
local function plus(micros, ms) return string.format('%.0f', micros + ms * 1000) end
`

/** Replies the state's name, or the fence and the watermark-to-be in one. */
export const beginScript = script(`
local token, lease_ms, keep_ms, occurred_at, deletion, observed_at = unpack(ARGV)
local text = redis.call('GET', KEYS[1])
local ours = text == 'c' .. token
if text and not ours then
  local kind = string.sub(text, 1, 1)
  if kind == 'd' then return 'duplicate' elseif kind == 'c' then return 'in-flight' else return foreign() end
end
local fence, applied, turn = read_resource()
if not applied then return foreign() end

local now = micros_of(redis.call('TIME'))
local watermark = string.sub(applied, 2, 20)
local counts_as = occurred_at
if observed_at == '' and (occurred_at == '' or occurred_at > plus(now, 300000) .. '000') then
  counts_as = now .. '000'
end

if not ours then
  if string.sub(turn, 1, 16) > now and string.sub(turn, 17) ~= token then return 'busy' end
  if watermark ~= '' then
    if observed_at ~= '' then
      if string.sub(applied, 21) .. '000' >= observed_at then return 'stale' end
    elseif counts_as < watermark then
      return 'stale'
    elseif counts_as == watermark and deletion == '0' and string.sub(applied, 1, 1) == 't' then
      return 'stale'
    end
  end
end
if observed_at ~= '' and watermark > counts_as then counts_as = watermark end

if not (ours and fence) then
  fence = fence and fence >= now and string.format('%.0f', fence + 1) or now
end
redis.call('SET', KEYS[1], 'c' .. token, 'PX', lease_ms)
if KEYS[2] then
  redis.call('SET', KEYS[2], fence .. applied .. plus(now, lease_ms) .. token, 'PX', keep_ms)
end
return fence .. counts_as
`)

/** A claim that is absent is taken anew: nobody else has begun since, or its fence or turn would say so. */
export const renewScript = script(`
local token, lease_ms, keep_ms, claim_fence = unpack(ARGV)
local text = redis.call('GET', KEYS[1])
if text and text ~= 'c' .. token then return 0 end
local fence, applied, turn = read_resource()
if not applied then return foreign() end
if fence and (fence ~= claim_fence or string.sub(turn, 17) ~= token) then return 0 end

if redis.call('PEXPIRE', KEYS[1], lease_ms) == 0 then
  redis.call('SET', KEYS[1], 'c' .. token, 'PX', lease_ms)
end
if KEYS[2] then
  local now = micros_of(redis.call('TIME'))
  redis.call('SET', KEYS[2], claim_fence .. applied .. plus(now, lease_ms) .. token, 'PX', keep_ms)
end
return 1
`)

export const commitScript = script(`
local token, retention_ms, keep_ms, claim_fence, watermark = unpack(ARGV)
local text = redis.call('GET', KEYS[1])
if text == 'd' .. token then return 1 end
if text and text ~= 'c' .. token then return 0 end
local fence, applied = read_resource()
if not applied then return foreign() end
if fence and fence ~= claim_fence then return 0 end

redis.call('DEL', KEYS[1])
if KEYS[2] then
  local now = micros_of(redis.call('TIME'))
  redis.call('SET', KEYS[2], claim_fence .. watermark .. now, 'PX', keep_ms)
end
if retention_ms ~= '0' then redis.call('SET', KEYS[1], 'd' .. token, 'PX', retention_ms) end
return 1
`)

/** The fence outlives the turn, so that whoever lost it before is still told so. */
export const releaseScript = script(`
local token, keep_ms = unpack(ARGV)
if redis.call('GET', KEYS[1]) == 'c' .. token then redis.call('DEL', KEYS[1]) end
local fence, applied, turn = read_resource()
if not applied then return foreign() end
if fence and string.sub(turn, 17) == token then redis.call('SET', KEYS[2], fence .. applied, 'PX', keep_ms) end
return 1
`)

/** `=x` stands for the value `x`, and the empty text for none. */
export const compareAndSetScript = script(`
local expected, value, expiry_ms = unpack(ARGV)
local present = redis.call('GET', KEYS[1])
if (present and '=' .. present or '') ~= expected then return 0 end
if value == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], string.sub(value, 2), 'PX', expiry_ms) end
return 1
`)

/** A script, so that in a cluster the node that has our keys is asked, and no other's clock. */
export const nowScript = script(`return micros_of(redis.call('TIME')) .. '000'`)

function script(body: string): Script {
  const text = preamble + body
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
