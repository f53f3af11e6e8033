-- Everything a viewer shows of one kind, as it is at one moment. Writes nothing.
-- KEYS  1 queue (stream)  2 counts (hash)  3 about (hash)  4 control (string)  5 failures (hash)
--       6 a day's history (hash)  7 that of the day before
-- ARGV  1 group  2 prefix of the heartbeat keys  3 how many of the following are minutes of the later day
--       4... minutes to answer: of the later day, then of the day before
-- Returns {counts, about, control, failures, leased IDs, {name, leases, heartbeat, ...}, {minute, ...}}; counts,
-- about and failures as HGETALL has them.
local queue, group, prefix = KEYS[1], ARGV[1], ARGV[2]

local leased, workers = 0, {}
local consumers = redis.pcall('XINFO', 'CONSUMERS', queue, group) -- an error where nothing is seeded yet
if not consumers.err then
    leased = redis.call('XPENDING', queue, group)[1]
    for _, row in ipairs(consumers) do
        local consumer = {}
        for i = 1, #row, 2 do consumer[row[i]] = row[i + 1] end
        local at = #workers
        workers[at + 1], workers[at + 2] = consumer.name, consumer.pending
        workers[at + 3] = redis.call('GET', prefix .. consumer.name)
    end
end

local minutes, later = {}, tonumber(ARGV[3])
for i = 4, #ARGV do
    minutes[i - 3] = redis.call('HGET', i - 3 <= later and KEYS[6] or KEYS[7], ARGV[i])
end

return {
    redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), redis.call('GET', KEYS[4]),
    redis.call('HGETALL', KEYS[5]), leased, workers, minutes,
}
