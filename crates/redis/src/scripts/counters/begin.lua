-- Closes the counters for a rebuild. Answers whether the caller holds them.
-- KEYS: epoch, the rebuild's lock    ARGV: token, for how long in ms
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[1])
return 1
