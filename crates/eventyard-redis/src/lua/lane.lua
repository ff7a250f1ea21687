-- Lanes: the jobs of one key of a queue, or those without a key, and whether they take turns.
--
-- The jobs without a key are where BullMQ has them, and are together the lane ''. Every other lane is a sorted set of
-- ours, scored like BullMQ's `prioritized`. A queue on which no job ever had a key has no turns.

local STEP = 1048576

-- Whether the jobs of a queue take turns by their keys.
function lane.exist(q)
  return q.set.keys
end

local function key_of(q, key)
  return q.own .. 'lane:' .. key
end

local function weight(q, key)
  return q.key_limits.weights and q.key_limits.weights[key] or 1
end

-- Whether the jobs of a key run one after the other.
function lane.is_ordered(q, key)
  return key and q.key_limits.ordered
end

-- Whether something about a lane changed that was not looked at.
local is_touched

beginnings[#beginnings + 1] = function()
  is_touched = false
end

-- Remembers that something about a lane changed.
function lane.touch(q, key)
  if q.set.keys then
    q.touched[key or ''] = true
    is_touched = true
  end
end

-- How many jobs of a lane could begin now, as far as the lane is concerned.
local function room(q, key)
  if key == '' then
    return call('LLEN', q.target) + call('ZCARD', q.p .. 'prioritized')
  end
  local limits = q.key_limits
  call('ZREM', q.own .. 'reopen', key)
  if call('SISMEMBER', q.own .. 'paused', key) == 1 then
    return 0
  end
  if limits.ordered and tonumber(call('HGET', q.own .. 'held', key) or 0) > 0 then
    return 0
  end
  local left = call('ZCARD', key_of(q, key))
  local most = limits.ordered and 1 or limits.concurrency
  if most then
    left = math.min(left, math.max(most - tonumber(call('HGET', q.own .. 'active', key) or 0), 0))
  end
  if limits.rate and left > 0 then
    local window = rate.load(q.own .. 'rate:' .. key)
    left = math.min(left, rate.room(window, limits.rate))
    local opens = rate.opens(window, limits.rate)
    if opens then
      call('ZADD', q.own .. 'reopen', opens, key)
      call('ZADD', OURS .. 'reopen', 'LT', opens, q.name)
    end
  end
  return left
end

-- Gives a lane its turn at a tag, behind those that have the same.
local function place_turn(q, key, tag)
  q.joined = q.joined + 1
  q.turned = true
  local member = string.format('%016.0f', q.joined) .. key
  call('ZADD', q.own .. 'turns', tag, member)
  call('HSET', q.own .. 'turn', key, member)
end

local function join(q, key)
  if call('HEXISTS', q.own .. 'turn', key) == 0 then
    place_turn(q, key, q.present + math.floor(STEP / weight(q, key)))
  end
end

local function leave(q, key)
  local member = call('HGET', q.own .. 'turn', key)
  if member then
    call('ZREM', q.own .. 'turns', member)
    call('HDEL', q.own .. 'turn', key)
  end
end

-- Lets lanes join and leave the turns: those that join together in the order of their keys.
function lane.update(q)
  if not next(q.touched) then
    return
  end
  local keys = {}
  for key in pairs(q.touched) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  q.touched = {}
  for _, key in ipairs(keys) do
    if room(q, key) > 0 then
      join(q, key)
    else
      leave(q, key)
    end
  end
  if q.turned then
    q.turned = false
    call('HSET', q.own .. 'set', 'joined', int(q.joined), 'present', int(q.present))
  end
end

-- Does so on all queues.
function lane.update_all()
  if is_touched then
    is_touched = false
    db.flush()
    for _, q in pairs(queues) do
      lane.update(q)
    end
  end
end

-- Looks again at the lanes whose rate allows more by now.
function lane.reopen(q)
  local due = call('ZRANGEBYSCORE', q.own .. 'reopen', '-inf', NOW)
  for _, key in ipairs(due) do
    lane.touch(q, key)
  end
  lane.update(q)
end

-- When the first lane reopens.
function lane.reopens(q)
  local first = call('ZRANGE', q.own .. 'reopen', 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end

-- The score before all others of a priority, also before those that run now and may come back to their places.
function lane.front(q, priority)
  return priority * CLASS - call('HINCRBY', q.own .. 'set', 'front', 1) % HALF
end

-- Counts the jobs of all lanes that wait, those with a priority apart.
local function count(q, priority, by)
  db.hincrby(q.own .. 'set', priority > 0 and 'prioritized' or 'waiting', by)
end

-- Puts a job into the lane of its key, at a score that it had or behind the others of its priority; tells the score.
function lane.put(q, id, key, priority, lifo, score)
  if not lane.exist(q) then
    q.set.keys = '1'
    db.hset(q.own .. 'set', 'keys', '1')
    lane.touch(q, '')
  end
  local own = key_of(q, key)
  if not score then
    if lifo then
      score = lane.front(q, priority)
    else
      score = priority * CLASS + call('HINCRBY', q.own .. 'set', 'place', 1) % HALF
    end
  end
  if call('ZCARD', own) == 0 then
    -- Listings go by key.
    db.zadd(q.own .. 'lanes', 0, key)
  end
  db.zadd(own, score, id)
  count(q, priority, 1)
  lane.touch(q, key)
  return score
end

-- Takes a job out of its lane.
function lane.drop(q, id, key, priority)
  local own = key_of(q, key)
  if db.zrem(own, id) == 1 then
    count(q, priority, -1)
    if call('ZCARD', own) == 0 then
      db.zrem(q.own .. 'lanes', key)
    end
    lane.touch(q, key)
  end
end

-- How many jobs of all lanes wait.
function lane.waiting(q)
  if not lane.exist(q) then
    return 0
  end
  local counts = call('HMGET', q.own .. 'set', 'waiting', 'prioritized')
  return tonumber(counts[1] or 0) + tonumber(counts[2] or 0)
end

-- Notes that one job more of a key is active, or one less.
function lane.run(q, key, by)
  if key then
    if db.hincrby(q.own .. 'active', key, by) <= 0 then
      db.hdel(q.own .. 'active', key)
    end
    lane.touch(q, key)
  else
    lane.touch(q, '')
  end
end

-- Notes that a delayed job lets no other of its key run before it, or does so no more.
function lane.hold(q, key, by)
  if db.hincrby(q.own .. 'held', key, by) <= 0 then
    db.hdel(q.own .. 'held', key)
  end
  lane.touch(q, key)
end

-- Takes the jobs of a key that are next.
local function pop(q, key, jobs)
  local own = key_of(q, key)
  local popped = call('ZPOPMIN', own, jobs)
  local ids, waiting, prioritized = {}, 0, 0
  for i = 1, #popped, 2 do
    ids[#ids + 1] = popped[i]
    if tonumber(popped[i + 1]) < HALF then
      waiting = waiting + 1
    else
      prioritized = prioritized + 1
    end
  end
  call('HINCRBY', q.own .. 'set', 'waiting', 0 - waiting)
  call('HINCRBY', q.own .. 'set', 'prioritized', 0 - prioritized)
  if call('ZCARD', own) == 0 then
    call('ZREM', q.own .. 'lanes', key)
  end
  if #ids > 0 then
    call('HINCRBY', q.own .. 'active', key, #ids)
  end
  return ids
end

-- Takes up to `left` jobs: the keys by turns, the jobs of each in order; `burst` of them in one turn. The jobs
-- without a key are taken by `take`. Tells their ids, and the key of each that has one.
function lane.pick(q, left, burst, take)
  if call('LLEN', q.target) + call('ZCARD', q.p .. 'prioritized') > 0 then
    -- BullMQ adds jobs without giving their lane a turn.
    join(q, '')
  end
  local picks, by_key = {}, {}
  while left > 0 do
    local first = call('ZRANGE', q.own .. 'turns', 0, 1, 'WITHSCORES')
    if not first[1] then
      break
    end
    local key, tag = string.sub(first[1], 17), tonumber(first[2])
    local pick = by_key[key]
    if not pick then
      pick = { key = key, jobs = 0, room = room(q, key) }
      by_key[key] = pick
      picks[#picks + 1] = pick
    end
    local jobs = math.min(burst, left, pick.room - pick.jobs)
    pick.jobs = pick.jobs + jobs
    left = left - jobs
    local step = math.floor(STEP / weight(q, key))
    -- The tag of the last of these jobs, but never beyond that of the lane whose turn it is.
    q.present = math.min(tag + step * math.max(jobs - 1, 0), tonumber(first[4]) or math.huge)
    q.turned = true
    call('ZREM', q.own .. 'turns', first[1])
    if pick.jobs >= pick.room then
      call('HDEL', q.own .. 'turn', key)
    else
      place_turn(q, key, tag + step * jobs)
    end
  end
  local ids, keys = {}, {}
  for _, pick in ipairs(picks) do
    local taken = pick.key == '' and take(pick.jobs) or pop(q, pick.key, pick.jobs)
    for _, id in ipairs(taken) do
      ids[#ids + 1] = id
      keys[id] = pick.key ~= '' and pick.key or nil
    end
    if pick.key ~= '' and q.key_limits.rate and #taken > 0 then
      local own = q.own .. 'rate:' .. pick.key
      local window = rate.load(own)
      rate.room(window, q.key_limits.rate)
      rate.count(window, q.key_limits.rate, #taken)
      rate.save(own, window, q.key_limits.rate)
    end
    lane.touch(q, pick.key)
  end
  return ids, keys
end
