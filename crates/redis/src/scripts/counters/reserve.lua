-- May this attempt be made? Everything is decided before anything is written, but for the alerts of a refusal.
-- KEYS: epoch, alerts, their bodies, the attempt, leases, the document's calls, who asks this, listed accounts,
--       the loops that somebody was told of, accounts...
-- ARGV: epoch, attempt, hold, lease, call, agent, fingerprint, document, identical calls, calls a stage, window,
--       how long an open attempt is kept in ms, then for each account: name, limit or nothing, its version, its thresholds
--       as percent:amount, when the account ends in ms, whether it is listed
local refusal = closed(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local state = redis.call('HGET', KEYS[4], 'state')
if state then
  return {'duplicate', state}
end
local other = redis.call('GET', KEYS[7])
if other then
  return {'in-flight', other}
end

local attempt, hold, at = ARGV[2], tonumber(ARGV[3]), now()
local call, agent, fingerprint, document = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local accounts = {}
for i = 10, #KEYS do
  local base = 12 + (i - 10) * 6
  local held = redis.call('HMGET', KEYS[i], 'frozen', 's', 'h', 'u', 'lim', 'ver', 'thr')
  local account = {
    key = KEYS[i], name = ARGV[base + 1], frozen = held[1] == '1', ends = ARGV[base + 5], listed = ARGV[base + 6] == '1',
    s = tonumber(held[2] or '0'), h = tonumber(held[3] or '0'), u = tonumber(held[4] or '0'),
    lim = held[5], ver = held[6], thr = held[7]
  }
  -- The higher version of a limit holds, whoever brings it.
  if ARGV[base + 2] ~= '' and (not account.lim or tonumber(ARGV[base + 3]) > tonumber(account.ver)) then
    account.lim, account.ver, account.thr = ARGV[base + 2], ARGV[base + 3], ARGV[base + 4]
    account.newer = true
  end
  accounts[#accounts + 1] = account
end

for _, account in ipairs(accounts) do
  if account.frozen then
    return {'frozen', account.name}
  end
end

-- The loop guard. A call is a member `agent|fingerprint|call`, scored by when it was let through.
local began, span = whole(at - tonumber(ARGV[11])), whole(math.max(math.ceil(tonumber(ARGV[11]) / 1000), 1))
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', began)
local known, identical, stage = false, 0, 0
local mine, same, named = agent .. '|', agent .. '|' .. fingerprint .. '|', '|' .. call
for _, member in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
  if string.sub(member, 1, #mine) == mine then
    known = known or string.sub(member, -#named) == named
    stage = stage + 1
    if string.sub(member, 1, #same) == same then
      identical = identical + 1
    end
  end
end
if not known then
  local trip, calls
  local limit, most = tonumber(ARGV[9]), tonumber(ARGV[10])
  if limit > 0 and identical >= math.max(limit - 1, 1) then
    trip, calls = 'identical', identical
  elseif most > 0 and stage >= most then
    trip, calls = 'stage', stage
  end
  if trip then
    -- One alert in a window for a document and an agent; a member is `document|agent`, scored by when it was raised.
    local about = string.sub(document, 1, 12) .. '|' .. agent
    redis.call('ZREMRANGEBYSCORE', KEYS[9], '-inf', began)
    if redis.call('ZADD', KEYS[9], 'NX', whole(at), about) == 1 then
      redis.call('PEXPIRE', KEYS[9], span)
      queue(KEYS[2], KEYS[3], 'loop|' .. about .. '|' .. whole(at), at, {
        'loop', whole(at), document, agent, trip, fingerprint, whole(calls)
      })
    end
    return {'loop', trip}
  end
end

-- Makes an account, and brings it its limit.
local function open(account)
  if account.newer then
    redis.call('HSET', account.key, 'lim', account.lim, 'ver', account.ver, 'thr', account.thr)
  end
  if account.listed then
    redis.call('SADD', KEYS[8], account.name)
  end
end

local contended
for _, account in ipairs(accounts) do
  if account.lim then
    local limit, used = tonumber(account.lim), account.s + account.u
    if used + hold > limit then
      -- The call that does not fit raises the last alert, however little of the limit is used.
      if string.find(',' .. account.thr, ',100:', 1, true) then
        open(account)
        raise(KEYS[2], KEYS[3], account.key, account.name, at, {
          version = account.ver, percent = '100', used = whole(used), limit = account.lim, refused = whole(hold)
        })
        redis.call('PEXPIREAT', account.key, account.ends)
      end
      return {'exhausted', account.name, whole(used), account.lim}
    end
    if not contended and used + account.h + hold > limit then
      contended = {'contended', account.name, whole(account.h), account.lim}
    end
  end
end
if contended then
  return contended
end

local names = {}
for i, account in ipairs(accounts) do
  open(account)
  redis.call('HINCRBY', account.key, 'h', ARGV[3])
  redis.call('PEXPIREAT', account.key, account.ends)
  names[i] = account.name
end
if not known then
  redis.call('ZADD', KEYS[6], 'NX', whole(at), agent .. '|' .. fingerprint .. '|' .. call)
  redis.call('PEXPIRE', KEYS[6], span)
end
redis.call('SET', KEYS[7], attempt, 'PX', ARGV[12])
redis.call('HSET', KEYS[4], 'state', 'held', 'hold', ARGV[3], 'asked', fingerprint, 'accounts', table.concat(names, '\n'))
redis.call('PEXPIRE', KEYS[4], ARGV[12])
local ends = whole(at + tonumber(ARGV[4]))
redis.call('ZADD', KEYS[5], ends, attempt)
return {'ok', ends}
