-- Take over leases of workers whose heartbeat has expired. By heartbeat, not by idle time as XAUTOCLAIM
-- would: a worker that a 429 makes wait is idle and alive. In one script, so that two workers never take
-- the same lease.
-- KEYS  1 queue (stream)  2 ledger (string)  3 control (string)  4 there while nobody need look (string)
-- ARGV  1 group  2 worker that takes over  3 how many at most  4 prefix of the heartbeat keys
-- Returns {entry, id, entry, id, ...}; none while the kind is paused.
if redis.call('EXISTS', KEYS[3], KEYS[4]) > 0 then return {} end
local queue, ledger = KEYS[1], KEYS[2]
local group, worker, wanted, prefix = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local taken = {}

local function take_from(consumer)
    local wanted_now = wanted - #taken / 2
    local pending = redis.call('XPENDING', queue, group, '-', '+', wanted_now, consumer)
    for _, lease in ipairs(pending) do
        local claimed = redis.call('XCLAIM', queue, group, worker, 0, lease[1])
        local entry = claimed[1]
        local id = entry and entry[2] and entry[2][2]
        local state = id and redis.call('GETRANGE', ledger, id, id)
        if state == 'q' or state == 'K' then
            taken[#taken + 1] = entry[1]
            taken[#taken + 1] = id
        else
            redis.call('XACK', queue, group, lease[1])
            redis.call('XDEL', queue, lease[1])
        end
    end
end

for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', queue, group)) do
    local consumer = {}
    for i = 1, #row, 2 do consumer[row[i]] = row[i + 1] end
    local gone = consumer.name ~= worker and redis.call('EXISTS', prefix .. consumer.name) == 0
    if gone and consumer.pending > 0 and #taken < wanted * 2 then
        take_from(consumer.name)
    elseif gone and consumer.pending == 0 then
        -- Only without pending entries: XGROUP DELCONSUMER throws a consumer's pending entries away.
        redis.call('XGROUP', 'DELCONSUMER', queue, group, consumer.name)
    end
end
-- A look costs as much as there are workers, and each of them looks now and then.
if #taken == 0 then redis.call('SET', KEYS[4], '', 'PX', 1000) end
return taken
