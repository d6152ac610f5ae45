-- The owner of a claim claims it again. Answers who has it afterwards.
-- KEYS: the claim    ARGV: the owner, the lease in milliseconds
local held = redis.call('GET', KEYS[1])
if not held or held == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return held
