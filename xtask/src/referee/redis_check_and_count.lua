-- KEYS[1]: the counter; ARGV: the limit, the quantity. 1 if it fit and was counted, else 0.
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used + tonumber(ARGV[2]) > tonumber(ARGV[1]) then
  return 0
end
redis.call('INCRBY', KEYS[1], ARGV[2])
return 1
