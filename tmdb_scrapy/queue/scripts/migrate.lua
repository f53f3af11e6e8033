-- Bring the keys of schema 1 to schema 2, in which a drop's reason stands in the ledger: of earlier drops it is
-- not known for each ID, so they all count as dropped for another reason.
-- KEYS  1 counts (hash)  2 about (hash)
-- ARGV  1 the new schema's number  2 whether to write it where there is nothing yet: yes or no
-- Returns the schema that there is afterwards.
local counts, about = KEYS[1], KEYS[2]
local found = redis.call('HGET', about, 'schema')
if found then return tonumber(found) end
if ARGV[2] == 'no' and redis.call('EXISTS', counts) == 0 then return tonumber(ARGV[1]) end
for _, label in ipairs(redis.call('HKEYS', counts)) do
    if string.sub(label, 1, 8) == 'dropped/' then redis.call('HDEL', counts, label) end
end
local dropped = tonumber(redis.call('HGET', counts, 'dropped') or '0')
if dropped > 0 then redis.call('HSET', counts, 'dropped/other', dropped) end
redis.call('HSET', about, 'schema', ARGV[1])
return tonumber(ARGV[1])
