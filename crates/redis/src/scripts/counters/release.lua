-- Gives a hold back, if the model was not asked.
-- KEYS: epoch, the attempt, leases, who asks this, accounts...
-- ARGV: epoch, attempt, how long an ended attempt is remembered in ms
local refusal = closed(KEYS[1], ARGV[1])
if refusal then
  return refusal
end
local mark = redis.call('HMGET', KEYS[2], 'state', 'hold')
if not mark[1] then
  return {'unknown'}
end
if mark[1] ~= 'held' then
  return {'no', mark[1]}
end
for i = 5, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    take(KEYS[i], 'h', mark[2])
  end
end
redis.call('HSET', KEYS[2], 'state', 'released')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
leave(KEYS[3], KEYS[4], ARGV[2])
return {'released'}
