-- Opens rebuilt counters, if the caller still holds them. Answers whether it did.
-- KEYS: epoch, the rebuild's lock    ARGV: token
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
