-- The owner of a claim gives it up; what somebody else holds or what is done stays.
-- KEYS: the claim    ARGV: the owner
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return false
