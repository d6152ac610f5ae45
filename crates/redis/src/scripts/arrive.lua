-- A part arrives: makes the join if there is none, writes the branch once, answers the join as it then is.
-- What that means is decided by clinflow_core::join, from the answer.
-- KEYS: the join (a hash), its shard's index of open joins (a sorted set by deadline)
-- ARGV: the join's name in the index, deadline in ms, how long to keep it in ms, branch, part, expected branches...
local join, open = KEYS[1], KEYS[2]
if redis.call('EXISTS', join) == 0 then
  local fields = {'deadline', ARGV[2]}
  for i = 6, #ARGV do
    -- A part is never empty, so an empty one is one that has not arrived.
    fields[#fields + 1] = 'branch:' .. ARGV[i]
    fields[#fields + 1] = ''
  end
  redis.call('HSET', join, unpack(fields))
  redis.call('PEXPIRE', join, ARGV[3])
  redis.call('ZADD', open, ARGV[2], ARGV[1])
  redis.call('PEXPIRE', open, ARGV[3])
end
local branch = 'branch:' .. ARGV[4]
if redis.call('HGET', join, branch) == '' and redis.call('HEXISTS', join, 'expired') == 0 then
  redis.call('HSET', join, branch, ARGV[5])
end
local state = redis.call('HGETALL', join)
for i = 2, #state, 2 do
  if state[i] == '' then
    return state
  end
end
redis.call('ZREM', open, ARGV[1])
return state
