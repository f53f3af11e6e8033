-- Note what a worker needs of the fleet's limit, forget the workers that beat no more, and count the others by
-- need. The times are of Redis's own clock. Costs the same in any fleet: as much as there are different needs.
-- KEYS  1 alive (sorted set)  2 needs (sorted set)
-- ARGV  1 after how many seconds without a beat a worker is gone  2 worker  3 its need (requests a second, inf)
--       2 and 3 are left out by who only asks
-- Returns {need, workers, need, workers, ...}, ascending by need.
local alive, needs = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
if ARGV[2] then
    redis.call('ZADD', alive, string.format('%.3f', now), ARGV[2])
    redis.call('ZADD', needs, ARGV[3], ARGV[2])
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1] * 1000) end
end
local gone = string.format('%.3f', now - ARGV[1])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', gone)) do
    redis.call('ZREM', alive, worker)
    redis.call('ZREM', needs, worker)
end
local counted, above = {}, '-inf'
while true do
    local least = redis.call('ZRANGEBYSCORE', needs, above, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #least == 0 then return counted end
    counted[#counted + 1] = least[2]
    counted[#counted + 1] = redis.call('ZCOUNT', needs, least[2], least[2])
    above = '(' .. least[2]
end
