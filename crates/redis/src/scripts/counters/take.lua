-- Gives out alerts, and keeps them from others for a while. Answers id, body, id, body.
-- KEYS: alerts, their bodies    ARGV: at most how many, for how long
local at, taken = now(), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(at), 'LIMIT', 0, ARGV[1])) do
  redis.call('ZADD', KEYS[1], 'XX', whole(at + tonumber(ARGV[2])), id)
  taken[#taken + 1] = id
  taken[#taken + 1] = redis.call('HGET', KEYS[2], id) or ''
end
return taken
