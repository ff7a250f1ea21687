-- Moves an entry to the dead letters, unless somebody has handled it meanwhile.
-- KEYS: the stream, the stream of dead letters
-- ARGV: group, entry id, reason, deliveries, how many dead letters are kept
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if #pending == 0 then return 0 end
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
local fields = {}
if found[1] then fields = found[1][2] end
local function add(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
add('eventyard.reason', ARGV[3])
add('eventyard.stream', KEYS[1])
add('eventyard.group', ARGV[1])
add('eventyard.entry', ARGV[2])
add('eventyard.deliveries', ARGV[4])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', unpack(fields))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 1
