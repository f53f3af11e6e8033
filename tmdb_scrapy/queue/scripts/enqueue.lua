-- Put IDs that are in one given state into the queue: NUL (never seen) when seeding, others when asking again.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)  4 failures (hash)
-- ARGV  1 the state to leave: a ledger byte, or "" for never seen  2 the state to enter: q, or K with a line at hand
--       3 label in counts of the state to enter  4 labels of the state to leave, a comma between, or ""
--       5 TMDb IDs with a comma between, in the order they are to be fetched
-- Returns how many IDs were put into the queue.
local call = redis.call
local queue, ledger, counts, failures = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local leaving, entering = string.byte(ARGV[1]) or 0, string.byte(ARGV[2])
local label, left = ARGV[3], ARGV[4]
local had_failed = ARGV[1] == 'f' or ARGV[1] == 'F'
local to_entering = tostring(entering)
local AT_ONCE = 1000 -- IDs in one BITFIELD: Lua unpacks no more than some 8,000 values
local added = 0
local ids, mark = {}, {'BITFIELD', ledger}

-- One BITFIELD marks them all and answers what each was before; those that were not to leave that state get it
-- back. Those that were queued are left alone, as is the second of an ID that was given twice.
local function enqueue(n)
    local restore = {'BITFIELD', ledger}
    for k, before in ipairs(call(unpack(mark, 1, 2 + 4 * n))) do
        if before == leaving then
            call('XADD', queue, '*', 'id', ids[k])
            if had_failed then call('HDEL', failures, ids[k]) end
            added = added + 1
        elseif before ~= entering then
            local at = #restore
            restore[at + 1], restore[at + 2], restore[at + 3], restore[at + 4] = 'SET', 'u8', '#' .. ids[k], before
        end
    end
    if #restore > 2 then call(unpack(restore)) end
end

local n = 0
for id in string.gmatch(ARGV[5], '%d+') do
    n = n + 1
    local at = 4 * n - 1
    ids[n] = id
    mark[at], mark[at + 1], mark[at + 2], mark[at + 3] = 'SET', 'u8', '#' .. id, to_entering
    if n == AT_ONCE then
        enqueue(n)
        n = 0
    end
end
if n > 0 then enqueue(n) end
if added > 0 then
    call('HINCRBY', counts, label, added)
    for each in string.gmatch(left, '[^,]+') do call('HINCRBY', counts, each, -added) end
end
return added
