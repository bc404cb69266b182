import { createHash } from 'node:crypto'

// These Lua scripts follow the rules of decisions.ts. Each ledger method runs one script, so it is one atomic step. The
// keys:
//
//   …:m:<id>        c<token>   claimed; expires with its lease
//                   d<token>   done; expires with its retention
//   …:r:<resource>  <fence><mark>[<watermark><applied>][<turn until><token>]; expires with the watermark's retention
//   …:s:<record>    the value itself
//
// Fence, applied and turn are microseconds in 16 digits. A watermark is nanoseconds in 19 digits. A Lua number cannot
// represent 19 digits, so times are compared as text. The mark names the next part: '-' for no watermark, 'w' for a
// watermark, 't' for the watermark of a tombstone.
//
// No script has a `#!lua` line. Without this line, a server that is out of memory checks only the first write of a
// script. If the first write can need more memory, the server refuses the script. If the first write cannot need more
// memory, the server allows all writes of the script. `begin` starts with a write that can need more memory, so the
// server refuses the whole `begin`. The other scripts start with a deletion or an extended expiry, so they run.

export interface Script {
  text: string
  sha1: string
}

// Each Lua function and each call costs the server time, so the scripts define few functions and make few calls.

const foreign = "redis.error_reply('FOREIGN a key of the ledger contains data that the ledger did not write')"

/** Reads a resource. Sets `fence`, `applied` (the mark, the watermark and the time of application) and `turn`. */
const readResource = `
local stored = KEYS[2] and call('GET', KEYS[2])
local fence, applied, turn = nil, '-', ''
if stored then
  local mark = sub(stored, 17, 17)
  fence = sub(stored, 1, 16)
  if mark == '-' then turn = sub(stored, 18)
  elseif mark == 'w' or mark == 't' then applied, turn = sub(stored, 17, 52), sub(stored, 53)
  else return ${foreign} end
end
`

const readClock = `
local time = call('TIME')
local now = time[1] .. format('%06d', time[2])
`

/** Replies with the name of the state, or with the fence followed by the watermark that a commit would write. */
export const beginScript = script(`
local token, lease_ms, keep_ms, occurred_at, deletion, observed_at = unpack(ARGV)
local claim = 'c' .. token
local known = call('GET', KEYS[1])
if known and known ~= claim then
  local kind = sub(known, 1, 1)
  if kind == 'd' then return 'duplicate' elseif kind == 'c' then return 'in-flight' else return ${foreign} end
end
${readResource}
${readClock}
local counts_as = occurred_at
if not observed_at and (occurred_at == '' or occurred_at > now) then
  if occurred_at == '' or occurred_at > format('%.0f', now + 300000000) .. '000' then counts_as = now .. '000' end
end
local watermark = sub(applied, 2, 20)

if not known then
  if sub(turn, 1, 16) > now and sub(turn, 17) ~= token then return 'busy' end
  if watermark ~= '' then
    if observed_at then
      if sub(applied, 21) .. '000' >= observed_at then return 'stale' end
    elseif counts_as < watermark then
      return 'stale'
    elseif counts_as == watermark and deletion ~= '1' and sub(applied, 1, 1) == 't' then
      return 'stale'
    end
  end
end
if observed_at and watermark > counts_as then counts_as = watermark end

if not fence then fence = now
elseif not known then fence = fence >= now and format('%.0f', fence + 1) or now end
call('SET', KEYS[1], claim, 'PX', lease_ms)
if KEYS[2] then
  call('SET', KEYS[2], fence .. applied .. format('%.0f', now + lease_ms * 1000) .. token, 'PX', keep_ms)
end
return fence .. counts_as
`)

/**
 * Extends the lease, and writes a missing claim again. If another token has begun since, the fence or the turn differs.
 */
export const renewScript = script(`
local token, lease_ms, keep_ms, claim_fence = unpack(ARGV)
local claim = 'c' .. token
local known = call('GET', KEYS[1])
if known and known ~= claim then return 0 end
${readResource}
if fence and (fence ~= claim_fence or sub(turn, 17) ~= token) then return 0 end

if known then call('PEXPIRE', KEYS[1], lease_ms) else call('SET', KEYS[1], claim, 'PX', lease_ms) end
if KEYS[2] then
  ${readClock}
  call('SET', KEYS[2], claim_fence .. applied .. format('%.0f', now + lease_ms * 1000) .. token, 'PX', keep_ms)
end
return 1
`)

export const commitScript = script(`
local token, retention_ms, keep_ms, claim_fence, watermark = unpack(ARGV)
local done = 'd' .. token
local known = call('GET', KEYS[1])
if known == done then return 1 end
if known and known ~= 'c' .. token then return 0 end
${readResource}
if fence and fence ~= claim_fence then return 0 end

call('DEL', KEYS[1])
if KEYS[2] then
  ${readClock}
  call('SET', KEYS[2], claim_fence .. watermark .. now, 'PX', keep_ms)
end
if retention_ms ~= '0' then call('SET', KEYS[1], done, 'PX', retention_ms) end
return 1
`)

/**
 * Releases the claim and the turn. Does not delete the fence, so that a handler that lost the turn can detect the loss.
 */
export const releaseScript = script(`
local token, keep_ms = unpack(ARGV)
if call('GET', KEYS[1]) == 'c' .. token then call('DEL', KEYS[1]) end
${readResource}
if fence and sub(turn, 17) == token then call('SET', KEYS[2], fence .. applied, 'PX', keep_ms) end
return 1
`)

/** In arguments and replies, `=x` means the value `x`. An empty text means that there is no value. */
export const readScript = script(`
local present = call('GET', KEYS[1])
return present and '=' .. present or ''
`)

export const compareAndSetScript = script(`
local expected, value, expiry_ms = unpack(ARGV)
local present = call('GET', KEYS[1])
if (present and '=' .. present or '') ~= expected then return 0 end
if value == '' then call('DEL', KEYS[1])
else call('SET', KEYS[1], sub(value, 2), 'PX', expiry_ms) end
return 1
`)

/**
 * The call passes a key, so a cluster runs the script on the node that stores our keys, with the clock of that node.
 */
export const nowScript = script(`${readClock} return now .. '000'`)

export const deleteScript = script(`return call('DEL', KEYS[1])`)

/**
 * The last argument is the mark of the call. The reply begins with the mark, so that the caller can detect the reply to
 * another call. An error reply has no mark.
 */
function script(body: string): Script {
  const text = `local call, sub, format = redis.call, string.sub, string.format
local mark = table.remove(ARGV)
local function reply()
${body}
end
local replied = reply()
return type(replied) == 'table' and replied or mark .. replied
`
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
