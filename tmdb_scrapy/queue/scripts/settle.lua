-- Record how leased IDs ended and free their leases: ledger, counts and stream move together or not at all.
-- The first final outcome wins, except that anything replaces f and F. Saying the same twice changes nothing, so
-- a caller that lost the answer may simply call again.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)  4 fetched (string)
-- ARGV  1 group  2 today, two bytes  3... quintuples: entry, TMDb ID, ledger byte of the outcome, its label in
--       counts, and the field of counts that counts its reason, or ""
-- Returns how many IDs changed their state.
local queue, ledger, counts, fetched = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, today = ARGV[1], ARGV[2]
local open = { q = 'queued', K = 'refreshing', f = 'failed', F = 'stale', [''] = '', ['\0'] = '' }
local changes, changed = {}, 0
local function count(label, by) if label ~= '' then changes[label] = (changes[label] or 0) + by end end

for i = 3, #ARGV, 5 do
    local entry, id, outcome, label, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local state = redis.call('GETRANGE', ledger, id, id)
    -- What fails while its earlier line is at hand is stale, not lost.
    if outcome == 'f' and (state == 'K' or state == 'F') then outcome, label = 'F', 'stale' end
    if open[state] and state ~= outcome then
        redis.call('SETRANGE', ledger, id, outcome)
        if outcome ~= 'f' and outcome ~= 'F' then redis.call('SETRANGE', fetched, 2 * id, today) end
        count(open[state], -1)
        count(label, 1)
        count(reason, 1)
        changed = changed + 1
    end
    redis.call('XACK', queue, group, entry)
    redis.call('XDEL', queue, entry)
end
for label, by in pairs(changes) do
    if by ~= 0 then redis.call('HINCRBY', counts, label, by) end
end
return changed
