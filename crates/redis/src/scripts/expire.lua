-- Closes joins of one shard that are open and due. Answers each one's state, empty for those it left alone.
-- KEYS: the shard's index of open joins, the joins...
-- ARGV: now in ms, the joins' names in the index...
local open, now = KEYS[1], tonumber(ARGV[1])
local states = {}
for i = 2, #KEYS do
  local join, name, state = KEYS[i], ARGV[i], {}
  -- Settled or completed meanwhile, there is no score; a join of the same name made anew may not be due.
  local deadline = redis.call('ZSCORE', open, name)
  if deadline and tonumber(deadline) <= now then
    if redis.call('EXISTS', join) == 0 then
      redis.call('ZREM', open, name)
    else
      redis.call('HSET', join, 'expired', '1')
      state = redis.call('HGETALL', join)
    end
  end
  states[i - 1] = state
end
return states
