-- Sends the requests of a file one after another. Each request in the file follows its length in eight digits. After
-- the last request, stops.
local file
local last

function init(args)
  file = assert(io.open(args[1], "rb"))
end

function request()
  local length = file:read(8)
  if length == nil then
    wrk.thread:stop()
  else
    last = file:read(tonumber(length))
  end
  return last
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"tookMs":%f,"failed":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1000,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
