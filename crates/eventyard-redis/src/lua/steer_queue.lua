-- What an operator does to queues and keys. Each verb tells nothing if it is done, or why it is refused.

-- Puts all of one list before what another one has.
local function pour(from, to)
  if call('EXISTS', to) == 0 then
    return db.rename(from, to)
  end
  for _, id in ipairs(call('LRANGE', from, 0, -1)) do
    db.rpush_behind(to, id, 0)
  end
  db.del(from)
end

-- Stops or goes on handing out the jobs of a queue.
function steer.pause(w)
  local q = queue(w.queue)
  job.queue_is_known(q)
  db.flush()
  local meta, wait, paused = q.p .. 'meta', q.p .. 'wait', q.p .. 'paused'
  if w.paused and not q.paused then
    db.hset(meta, 'paused', '1')
    db.del(q.p .. 'marker')
    q.paused = true
    if not q.is_v6 then
      q.target = paused
      if call('EXISTS', wait) == 1 then
        pour(wait, paused)
      end
    end
    tell(q, 'paused')
  elseif not w.paused and q.paused then
    db.hdel(meta, 'paused')
    if call('EXISTS', paused) == 1 then
      pour(paused, wait)
    end
    q.paused, q.target, q.woken, q.sooner = false, wait, true, true
    tell(q, 'resumed')
  end
end

-- The keys of which anything is known.
local function lanes(q)
  local keys = call('ZRANGE', q.own .. 'lanes', 0, -1)
  keys[#keys + 1] = ''
  for _, hash in ipairs({ 'active', 'held' }) do
    for _, key in ipairs(call('HKEYS', q.own .. hash)) do
      keys[#keys + 1] = key
    end
  end
  return keys
end

-- Replaces the limits of a queue.
function steer.limit(w)
  local q = queue(w.queue)
  job.queue_is_known(q)
  db.hset(q.own .. 'set', 'limits', w.limits)
  q.set.limits = w.limits
  q.limits = cjson.decode(w.limits)
  q.key_limits = q.limits.keys or {}
  local meta = q.p .. 'meta'
  db.hdel(meta, 'concurrency', 'max', 'duration')
  q.concurrency, q.rate = q.limits.concurrency, q.limits.rate
  if q.concurrency then
    db.hset(meta, 'concurrency', q.concurrency)
  end
  if q.rate then
    db.hset(meta, 'max', q.rate.max, 'duration', q.rate.per)
  end
  q.woken = true
  if lane.exist(q) then
    for _, key in ipairs(lanes(q)) do
      lane.touch(q, key)
    end
  end
end

-- Stops or goes on handing out the jobs of one key.
steer['pause-key'] = function(w)
  local q = queue(w.queue)
  job.queue_is_known(q)
  q.woken = true
  lane.touch(q, w.key)
  if w.paused then
    db.sadd(q.own .. 'paused', w.key)
  else
    db.srem(q.own .. 'paused', w.key)
  end
end

-- Adds those of the lanes with keys, by key, that have a score in a range.
local function add_lanes(q, ids, from, to, limit)
  if lane.exist(q) then
    for _, key in ipairs(call('ZRANGE', q.own .. 'lanes', 0, -1)) do
      if #ids >= limit then
        break
      end
      for _, id in ipairs(call('ZRANGEBYSCORE', q.own .. 'lane:' .. key, from, to, 'LIMIT', 0, limit - #ids)) do
        ids[#ids + 1] = id
      end
    end
  end
  return ids
end

-- The first jobs in a state, in order.
local function ids_in(q, state, limit)
  db.flush()
  if state == 'waiting' or state == 'paused' then
    local ids = call('LRANGE', q.target, -limit, -1)
    local ordered = {}
    for i = #ids, 1, -1 do
      ordered[#ordered + 1] = ids[i]
    end
    return add_lanes(q, ordered, '-inf', '(' .. int(HALF), limit)
  elseif state == 'prioritized' then
    local ids = call('ZRANGE', q.p .. 'prioritized', 0, limit - 1)
    return add_lanes(q, ids, int(HALF), '+inf', limit)
  end
  return call('ZRANGE', q.p .. state, 0, limit - 1)
end

-- The states in which jobs stand in a set of the state's name.
local IS_LISTED = { delayed = true, completed = true, failed = true, ['waiting-children'] = true }

-- Removes jobs of a queue that are in a state for long enough, the oldest first; tells how many.
function steer.clean(w)
  local q, state = queue(w.queue), w.state
  if state == 'active' or not q.set.known then
    return nil, 0
  end
  -- Those that are too young stay, and are not looked at twice: more are read until enough are removed.
  local removed, window = 0, w.limit
  local seen = {}
  while removed < w.limit do
    local ids, fresh = ids_in(q, state, window), 0
    for _, id in ipairs(ids) do
      if not seen[id] and removed < w.limit then
        seen[id] = true
        fresh = fresh + 1
        local f = job.load(q, id)
        local since = f and (FINISHED[state] and f.finished_at or f.created_at) or 0
        if since + w.older <= NOW then
          job.remove(q, id, f, IS_LISTED[state] and state or 'ready', tell_here)
          removed = removed + 1
        end
      end
    end
    if fresh == 0 or #ids < window then
      break
    end
    window = window + w.limit
  end
  if removed > 0 then
    tell_there(q, 'cleaned', 'count', int(removed))
  end
  return nil, removed
end

-- Removes what is known of a queue without jobs.
function steer.forget(w)
  local q = queue(w.queue)
  db.flush()
  local left = lane.waiting(q) + call('LLEN', q.p .. 'wait') + call('LLEN', q.p .. 'paused') + call('LLEN', q.active)
  for _, state in ipairs({ 'prioritized', 'delayed', 'completed', 'failed', 'waiting-children' }) do
    left = left + call('ZCARD', q.p .. state)
  end
  if left > 0 then
    return { error = 'queue-not-empty', queue = q.name }
  end
  for _, says in ipairs(call('ZRANGE', q.own .. 'windows', 0, -1)) do
    db.del(q.p .. 'de:' .. says, q.p .. 'dn:' .. says)
  end
  for _, suffix in ipairs({ 'meta', 'id', 'pc', 'marker', 'events', 'limiter', 'stalled', 'stalled-check' }) do
    db.del(q.p .. suffix)
  end
  for _, suffix in ipairs({
    'set', 'turns', 'turn', 'lanes', 'reopen', 'paused', 'active', 'held', 'rate', 'windows', 'unbegun', 'leases',
    'expiring:completed', 'expiring:failed',
  }) do
    db.del(q.own .. suffix)
  end
  db.srem(OURS .. 'queues', q.name)
  -- What is still to be told would make its stream anew.
  q.is_forgotten = true
  queues[q.name] = nil
end
