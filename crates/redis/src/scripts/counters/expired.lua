-- The attempts that somebody must look at, the longest overdue first.
-- KEYS: leases    ARGV: at most how many
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(now()), 'LIMIT', 0, ARGV[1])
