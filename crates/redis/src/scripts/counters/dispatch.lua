-- The model is about to be asked.
-- KEYS: epoch, the attempt, leases    ARGV: epoch, attempt, lease
local refusal = closed(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local state = redis.call('HGET', KEYS[2], 'state')
if not state then
  return {'unknown'}
end
if state ~= 'held' then
  return {'no', state}
end
redis.call('HSET', KEYS[2], 'state', 'dispatched')
redis.call('ZADD', KEYS[3], whole(now() + tonumber(ARGV[3])), ARGV[2])
return {'go'}
