-- Raises the alerts of the thresholds that an installed account has reached.
-- KEYS: alerts, their bodies, the account    ARGV: the account's name
reach(KEYS[1], KEYS[2], KEYS[3], ARGV[1], now())
return true
