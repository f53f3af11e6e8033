-- Record how leased IDs ended and free their leases: ledger, counts, stream and history move together or not at
-- all. The first final outcome wins, except that anything replaces f and F. Saying the same twice changes nothing,
-- so a caller that lost the answer may simply call again.
-- KEYS  1 queue (stream)  2 ledger (string)  3 counts (hash)  4 fetched (string)  5 failures (hash)
--       6 today's history (hash)  7 the traffic that this worker has told of (string)  8 about (hash)
-- ARGV  1 group  2 today, two bytes  3 minute of the day  4 seconds after which history is thrown away
--       5 answers  6 those of status 429  7 milliseconds of all answers: totals of this worker since it started
--       8 the settings under which the outcomes were reached, or "" for any
--       9... sextuples: entry, TMDb ID, ledger byte of the outcome, its label in counts, the field of counts that
--       counts its reason, or "", and why it failed
-- Returns how many IDs changed their state. Outcomes of other settings than those that are recorded settle
-- nothing: the error OTHERSETTINGS.
local queue, ledger, counts, fetched = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local failures, history, told = KEYS[5], KEYS[6], KEYS[7]
local group, today, minute, expiry_s = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if #ARGV > 8 and ARGV[8] ~= '' then
    local recorded = redis.call('HGET', KEYS[8], 'settings')
    if not recorded then redis.call('HSET', KEYS[8], 'settings', ARGV[8]) end
    if recorded and recorded ~= ARGV[8] then return redis.error_reply('OTHERSETTINGS') end
end
local MOST_FAILURES = 500 -- as many reasons as somebody reads; the ledger knows all that failed
local open = { q = 'queued', K = 'refreshing', f = 'failed', F = 'stale', [''] = '', ['\0'] = '' }
local changes, ended, changed = {}, {}, 0
local function count(label, by) if label ~= '' then changes[label] = (changes[label] or 0) + by end end

-- Why an ID failed, kept as long as it is failed or stale.
local function note(id, outcome, why)
    if outcome ~= 'f' and outcome ~= 'F' then
        redis.call('HDEL', failures, id)
    elseif why ~= '' and redis.call('HLEN', failures) < MOST_FAILURES then
        redis.call('HSET', failures, id, why)
    end
end

for i = 9, #ARGV, 6 do
    local entry, id, outcome, label, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    local state = redis.call('GETRANGE', ledger, id, id)
    -- What fails while its earlier line is at hand is stale, not lost.
    if outcome == 'f' and (state == 'K' or state == 'F') then outcome, label = 'F', 'stale' end
    if open[state] and state ~= outcome then
        redis.call('SETRANGE', ledger, id, outcome)
        if outcome ~= 'f' and outcome ~= 'F' then redis.call('SETRANGE', fetched, 2 * id, today) end
        if outcome == 'f' or outcome == 'F' or state == 'f' or state == 'F' then note(id, outcome, ARGV[i + 5]) end
        count(open[state], -1)
        count(label, 1)
        count(reason, 1)
        ended[label] = (ended[label] or 0) + 1
        changed = changed + 1
    end
    redis.call('XACK', queue, group, entry)
    redis.call('XDEL', queue, entry)
end
for label, by in pairs(changes) do
    if by ~= 0 then redis.call('HINCRBY', counts, label, by) end
end

-- What a worker exchanged since it last told: of totals, the same twice is nothing the second time.
local before = {}
for number in string.gmatch(redis.call('GET', told) or '', '%d+') do before[#before + 1] = tonumber(number) end
local exchanged = 0
local traffic = { tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]) }
for i, total in ipairs(traffic) do
    traffic[i] = math.max(total - (before[i] or 0), 0)
    exchanged = exchanged + traffic[i]
end
if exchanged > 0 then
    redis.call('SET', told, table.concat({ ARGV[5], ARGV[6], ARGV[7] }, ' '), 'EX', expiry_s)
end
if changed + exchanged > 0 then
    -- In the order of tmdb_scrapy.queue.history.Minute.
    local minutes = {
        ended.kept or 0, ended.dropped or 0, ended.missing or 0, ended.failed or 0, ended.stale or 0,
        traffic[1], traffic[2], traffic[3],
    }
    local i, written = 0, redis.call('HGET', history, minute)
    for number in string.gmatch(written or '', '%d+') do
        i = i + 1
        minutes[i] = (minutes[i] or 0) + tonumber(number)
    end
    redis.call('HSET', history, minute, table.concat(minutes, ' '))
    if not written then redis.call('EXPIRE', history, expiry_s) end
end
return changed
