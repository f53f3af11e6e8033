-- Lease the next IDs of the queue. An entry whose ID has been settled meanwhile is deleted, not leased.
-- KEYS  1 queue (stream)  2 ledger (string)  3 control (string)
-- ARGV  1 group  2 worker  3 how many at most
-- Returns {entry, id, entry, id, ...}, or nil while the kind is paused.
if redis.call('EXISTS', KEYS[3]) == 1 then return nil end
local queue, ledger = KEYS[1], KEYS[2]
local group, worker, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3])
local leased = {}
while #leased < wanted * 2 do
    local missing = wanted - #leased / 2
    local answer = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', missing, 'STREAMS', queue, '>')
    if not answer or not answer[1] then break end
    for _, entry in ipairs(answer[1][2]) do
        local id = entry[2][2]
        local state = redis.call('GETRANGE', ledger, id, id)
        if state == 'q' or state == 'K' then
            leased[#leased + 1] = entry[1]
            leased[#leased + 1] = id
        else
            redis.call('XACK', queue, group, entry[1])
            redis.call('XDEL', queue, entry[1])
        end
    end
end
return leased
