-- Reads jobs of a queue with where they stand. It changes nothing.
--
-- ARGV: the queue's keys' beginning, that of ours for it, how many fields are read, their names, and the ids of the jobs.
-- Tells for each job nothing if there is none; otherwise its state, the values of the fields, and what belongs to the
-- state: when a delayed job is due, or when our lease on an active one ends, the token of its lock, the milliseconds for
-- which the lock holds, and the server's time.

local call = redis.call
local P, OWN, COUNT = ARGV[1], ARGV[2], tonumber(ARGV[3])
local FACTS = { 'name', 'timestamp', 'finishedOn', 'processedOn', 'priority', 'eyk' }
local names = { unpack(ARGV, 4, 3 + COUNT) }
local paused = call('HGET', P .. 'meta', 'paused')

local function state_of(id, finished_on, processed_on, priority, key)
  if finished_on then
    for _, state in ipairs({ 'completed', 'failed' }) do
      if call('ZSCORE', P .. state, id) then
        return state
      end
    end
  end
  local due = call('ZSCORE', P .. 'delayed', id)
  if due then
    return 'delayed', { string.format('%.0f', math.floor(tonumber(due) / 4096)) }
  elseif call('ZSCORE', P .. 'waiting-children', id) then
    return 'waiting-children'
  elseif processed_on and call('LPOS', P .. 'active', id) then
    local lock, time = P .. id .. ':lock', call('TIME')
    local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    return 'active', { call('ZSCORE', OWN .. 'leases', id), call('GET', lock), call('PTTL', lock), now }
  end
  -- Whoever stalls in BullMQ waits without a priority.
  if (tonumber(priority or nil) or 0) > 0 and (key or call('ZSCORE', P .. 'prioritized', id)) then
    return 'prioritized'
  end
  return paused and 'paused' or 'waiting'
end

local jobs = {}
for i = 4 + COUNT, #ARGV do
  local id = ARGV[i]
  local facts = redis.pcall('HMGET', P .. id, unpack(FACTS))
  -- An id may be the name of something else.
  if facts.err or not (facts[1] or facts[2]) then
    jobs[#jobs + 1] = false
  else
    local state, more = state_of(id, facts[3], facts[4], facts[5], facts[6])
    jobs[#jobs + 1] = { state, call('HMGET', P .. id, unpack(names)), more or {} }
  end
end
return jobs
