-- Rebuild counts and stream from the ledger, where something else changed them. A byte that is no state is queued:
-- nothing speaks for any outcome. Entries keep their order; IDs that had none come after them. Leases are given up:
-- whoever had one may still settle, and what is left of it is passed over by lease.lua.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)
-- ARGV  1 group
--       2... triples: ledger byte, its label in counts, and the field of counts that counts its reason, or ""
-- Returns how many fields of counts were wrong, entries removed, entries added, and bytes that were no state.
local call = redis.call
local queue, ledger, counts = KEYS[1], KEYS[2], KEYS[3]
local group = ARGV[1]
local QUEUED, REFRESHING = string.byte('q'), string.byte('K')
local fields = {}
for i = 2, #ARGV, 3 do fields[string.byte(ARGV[i])] = { ARGV[i + 1], ARGV[i + 2] } end

-- Of each byte how many, and which IDs have to be in the stream.
local of, open, highest, unknown = {}, {}, -1, 0
local text = call('GET', ledger) or ''
for id = 0, #text - 1 do
    local state = string.byte(text, id + 1)
    if state ~= 0 then
        if not fields[state] then
            call('SETRANGE', ledger, id, 'q')
            state, unknown = QUEUED, unknown + 1
        end
        of[state] = (of[state] or 0) + 1
        if state == QUEUED or state == REFRESHING then open[id], highest = true, id end
    end
end
text = nil

local tally, wrong = {}, 0
for state, count in pairs(of) do
    for _, field in ipairs(fields[state]) do
        if field ~= '' then tally[field] = (tally[field] or 0) + count end
    end
end
local told = {}
local before = call('TYPE', counts).ok == 'hash' and call('HGETALL', counts) or {}
for i = 1, #before, 2 do
    told[before[i]] = true
    if tonumber(before[i + 1]) ~= (tally[before[i]] or 0) then wrong = wrong + 1 end
end
call('DEL', counts)
for field, count in pairs(tally) do
    if not told[field] then wrong = wrong + 1 end
    call('HSET', counts, field, count)
end

local removed, added, from = 0, 0, '-'
if call('TYPE', queue).ok ~= 'stream' then call('DEL', queue) end
while true do
    local entries = call('XRANGE', queue, from, '+', 'COUNT', 1000)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
        local id = tonumber(entry[2][2])
        if id and open[id] then
            open[id] = nil -- a second entry of an ID is one too many
        else
            call('XDEL', queue, entry[1])
            removed = removed + 1
        end
    end
    from = '(' .. entries[#entries][1]
end
for id = 0, highest do
    if open[id] then
        call('XADD', queue, '*', 'id', id)
        added = added + 1
    end
end
-- A new group has delivered nothing: what was delivered and forgotten is leased again.
if call('EXISTS', queue) == 1 then redis.pcall('XGROUP', 'DESTROY', queue, group) end
call('XGROUP', 'CREATE', queue, group, '0', 'MKSTREAM')
return { wrong, removed, added, unknown }
