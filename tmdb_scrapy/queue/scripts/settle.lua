-- Record how leased IDs ended and free their leases: ledger, counts and stream move together or not at all.
-- The first final outcome wins, except that anything replaces f. Saying the same twice changes nothing, so
-- a caller that lost the answer may simply call again.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)
-- ARGV  1 group  2... quadruples: entry, TMDb ID, ledger byte of the outcome, reason or ""
-- Returns how many IDs changed their state.
local queue, ledger, counts = KEYS[1], KEYS[2], KEYS[3]
local group = ARGV[1]
local labels = { q = 'queued', k = 'kept', d = 'dropped', m = 'missing', f = 'failed' }
local changes, changed = {}, 0
local function count(label, by) changes[label] = (changes[label] or 0) + by end

for i = 2, #ARGV, 4 do
    local entry, id, outcome, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local state = redis.call('GETRANGE', ledger, id, id)
    local open = state == 'q' or state == 'f' or state == '' or state == '\0'
    if open and state ~= outcome then
        redis.call('SETRANGE', ledger, id, outcome)
        if labels[state] then count(labels[state], -1) end
        count(labels[outcome], 1)
        if outcome == 'd' and reason ~= '' then count('dropped/' .. reason, 1) end
        changed = changed + 1
    end
    redis.call('XACK', queue, group, entry)
    redis.call('XDEL', queue, entry)
end
for label, by in pairs(changes) do
    if by ~= 0 then redis.call('HINCRBY', counts, label, by) end
end
return changed
