-- Books what an attempt has cost, instead of its hold.
-- KEYS: epoch, alerts, their bodies, the attempt, leases, who asks this, accounts...
-- ARGV: epoch, attempt, what it cost, how long an ended attempt is remembered in ms, the accounts' names...
local refusal = closed(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local mark = redis.call('HMGET', KEYS[4], 'state', 'hold', 'actual')
local state, hold, actual = mark[1], mark[2], ARGV[3]
if not state then
  return {'unknown'}
end
if state == 'settled' then
  if mark[3] == actual then
    return {'duplicate'}
  end
  return {'mismatch', mark[3]}
end
local sum, at = SUM[state], now()
for i = 7, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    if sum then
      take(KEYS[i], sum, hold)
    end
    redis.call('HINCRBY', KEYS[i], 's', actual)
    reach(KEYS[2], KEYS[3], KEYS[i], ARGV[i - 2], at)
  end
end
redis.call('HSET', KEYS[4], 'state', 'settled', 'actual', actual)
redis.call('PEXPIRE', KEYS[4], ARGV[4])
leave(KEYS[5], KEYS[6], ARGV[2])
return {'settled', whole(math.max(tonumber(actual) - tonumber(hold), 0))}
