-- What the scripts of the counters share. Times are whole microseconds of the server's clock, amounts whole nano-dollars;
-- both are below 2^53, where doubles are exact, and are only ever written as whole numbers.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function whole(number)
  return string.format('%.0f', number)
end

-- The refusal of a caller who does not know this generation of the counters.
local function closed(epoch, known)
  local current = redis.call('GET', epoch)
  if not current then
    return {'closed'}
  end
  if current ~= known then
    return {'stale'}
  end
  return nil
end

-- Queues an alert, unless it waits already.
local function queue(alerts, bodies, id, at, body)
  if redis.call('HSETNX', bodies, id, table.concat(body, '\n')) == 1 then
    redis.call('ZADD', alerts, whole(at), id)
  end
end

-- Raises the alert of an account's threshold, once for each version of its limit.
local function raise(alerts, bodies, account, name, at, alert)
  if redis.call('HSETNX', account, 'r:' .. alert.version .. ':' .. alert.percent, '1') == 1 then
    queue(alerts, bodies, name .. '|' .. alert.version .. '|' .. alert.percent, at, {
      'threshold', whole(at), name, alert.version, alert.percent, alert.used, alert.limit, alert.refused
    })
  end
end

-- Raises the alerts of all thresholds that an account has reached.
local function reach(alerts, bodies, account, name, at)
  local held = redis.call('HMGET', account, 's', 'u', 'lim', 'ver', 'thr')
  if not held[3] then
    return
  end
  local used = tonumber(held[1] or '0') + tonumber(held[2] or '0')
  for percent, amount in string.gmatch(held[5], '(%d+):(%d+)') do
    if used >= tonumber(amount) then
      raise(alerts, bodies, account, name, at, {
        version = held[4], percent = percent, used = whole(used), limit = held[3], refused = '0'
      })
    end
  end
end

-- Ends what an attempt has under way.
local function leave(leases, asked, attempt)
  redis.call('ZREM', leases, attempt)
  if redis.call('GET', asked) == attempt then
    redis.call('DEL', asked)
  end
end

-- The sum of an account that holds an attempt in this state; nil when none does.
local SUM = {held = 'h', dispatched = 'h', suspense = 'u'}

-- Takes an amount away from a sum of an account. HINCRBY does not read `-0`.
local function take(account, sum, amount)
  if amount ~= '0' then
    redis.call('HINCRBY', account, sum, '-' .. amount)
  end
end
