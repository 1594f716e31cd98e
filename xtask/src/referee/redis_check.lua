-- KEYS[1]: the counter; ARGV: the limit, the quantity asked. 1 if it fits, else 0.
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used + tonumber(ARGV[2]) > tonumber(ARGV[1]) then
  return 0
end
return 1
