-- Nobody knows what an attempt has cost: its hold counts as spent until somebody does.
-- KEYS: epoch, alerts, their bodies, the attempt, leases, who asks this, accounts...
-- ARGV: epoch, attempt, after how long somebody looks again, `1` to do it only if the lease has ended, the accounts' names...
local refusal = closed(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local mark = redis.call('HMGET', KEYS[4], 'state', 'hold')
local state, hold, at = mark[1], mark[2], now()
if not state then
  return {'unknown'}
end
if ARGV[4] == '1' then
  local ends = redis.call('ZSCORE', KEYS[5], ARGV[2])
  if ends and tonumber(ends) > at then
    return {'live'}
  end
end
local sum = SUM[state]
if not sum then
  return {'no', state}
end
redis.call('ZADD', KEYS[5], whole(at + tonumber(ARGV[3])), ARGV[2])
if state == 'suspense' then
  return {'no', state}
end
if redis.call('GET', KEYS[6]) == ARGV[2] then
  redis.call('DEL', KEYS[6])
end
for i = 7, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    take(KEYS[i], sum, hold)
    redis.call('HINCRBY', KEYS[i], 'u', hold)
    reach(KEYS[2], KEYS[3], KEYS[i], ARGV[i - 2], at)
  end
end
redis.call('HSET', KEYS[4], 'state', 'suspense')
return {'suspended'}
