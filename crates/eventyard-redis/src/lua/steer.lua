-- What an operator does to jobs and queues. Each verb tells nothing if it is done, or why it is refused.


local SHOWN = { ['waiting-children'] = 'waiting-children' }

-- The state as it is shown.
local function shown(q, f, state)
  if state ~= 'ready' then
    return SHOWN[state] or state
  elseif f.priority > 0 then
    return 'prioritized'
  end
  return q.paused and 'paused' or 'waiting'
end

-- A job that is in one of some states; or a refusal, in which `allowed` says which those are.
local function find(q, id, allowed, states)
  local f = job.load(q, id)
  if not f then
    return nil, { error = 'no-such-job', queue = q.name, id = id }
  end
  local state = place.state(q, id, f)
  if states[state] then
    return f, state
  end
  return nil, { error = 'wrong-state', queue = q.name, id = id, state = shown(q, f, state), allowed = allowed }
end

local FINISHED = { completed = true, failed = true }
local UNFINISHED = { ready = true, delayed = true, active = true, ['waiting-children'] = true }
local INACTIVE = { ready = true, delayed = true, completed = true, failed = true, ['waiting-children'] = true }
local PENDING = { ready = true, delayed = true }

-- Makes a failed or completed job wait again, with all its attempts.
steer['retry'] = function(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'failed and completed', FINISHED)
  if not f then
    return state
  end
  local key = q.p .. w.id
  place.leave(q, w.id, f, state)
  db.hset(key, 'eyb', f.stalls)
  if f.started_at then
    db.hset(key, 'eys', int(f.started_at))
  end
  db.hdel(key, 'finishedOn', 'failedReason', 'returnvalue', 'atm', 'ats', 'processedOn', 'eyf', 'defa')
  f.attempts, f.crashes = 0, 0
  if call('SCARD', key .. ':dependencies') > 0 then
    db.zadd(q.p .. 'waiting-children', ticks.score(), w.id)
    tell(q, 'waiting-children', 'jobId', w.id)
  else
    job.run(q, w.id, f, state)
  end
end

-- Counts the time to live of a job that has not begun from another time at which it could.
local function expire_later(q, f, due)
  if f.expires and call('ZSCORE', q.own .. 'unbegun', f.expires.member) then
    job.must_begin(q, f.expires, due)
  end
end

-- Makes a delayed job wait at once.
function steer.promote(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'delayed', { delayed = true })
  if not f then
    return state
  end
  expire_later(q, f, NOW)
  db.zrem(q.p .. 'delayed', w.id)
  job.promote(q, w.id, f)
end

-- Removes a job that is not active.
function steer.remove(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'inactive', INACTIVE)
  if not f then
    return state
  end
  job.remove(q, w.id, f, state)
end

-- Ends a job that is not finished as cancelled.
function steer.cancel(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'unfinished', UNFINISHED)
  if not f then
    return state
  end
  place.leave(q, w.id, f, state)
  local failure = job.failure('cancelled', w.reason)
  if state == 'active' then
    local token = lease.token_of(f)
    lease.finish(q, w.id, f)
    news.cancelled[#news.cancelled + 1] = token
    job.record(q, w.id, f, failure)
  end
  local keep = job.keep_of(job.options(q, w.id).removeOnFail)
  job.finish(q, w.id, f, { state = 'failed', failure = failure }, keep)
end

-- Replaces the data of a job that is not finished.
function steer.update(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'unfinished', UNFINISHED)
  if not f then
    return state
  end
  local key, kind = q.p .. w.id, f.kind and string.sub(f.kind, 1, 1)
  local data, data_kind = envelope.with_data(call('HGET', key, 'data') or '', kind, w.kind, w.data)
  db.hset(key, 'data', data)
  if kind then
    db.hset(key, 'eyt', data_kind .. string.sub(f.kind, 2))
  end
end

-- Gives a waiting or delayed job another priority.
function steer.reprioritize(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'waiting and delayed', PENDING)
  if not f then
    return state
  end
  if state == 'ready' then
    local expires, from = f.expires, place.word(q, f, state)
    f.expires = nil
    place.leave(q, w.id, f, state)
    f.expires = expires
    f.priority = w.priority
    job.run(q, w.id, f, from, tell_here)
  elseif f.holds and f.place then
    -- One that holds its key goes back to its place.
    local at = tonumber(f.place) - f.priority * CLASS + w.priority * CLASS
    db.hset(q.p .. w.id, 'eyp', int(at))
  end
  db.hset(q.p .. w.id, 'priority', w.priority)
  local text = call('HGET', q.p .. w.id, 'opts')
  db.hset(q.p .. w.id, 'opts', steer.with_priority(text, w.priority))
end

-- The options with another priority; they are JSON text, of which nothing else may change.
function steer.with_priority(text, priority)
  local replaced, count = string.gsub(text or '{}', '"priority":%d+', '"priority":' .. priority, 1)
  if count == 1 then
    return replaced
  elseif text == '{}' or not text then
    return '{"priority":' .. priority .. '}'
  end
  return '{"priority":' .. priority .. ',' .. string.sub(text, 2)
end

-- Makes a waiting or delayed job run at another time.
function steer.reschedule(w)
  local q = queue(w.queue)
  local f, state = find(q, w.id, 'waiting and delayed', PENDING)
  if not f then
    return state
  end
  expire_later(q, f, math.max(w.at, NOW))
  local holds, expires, from = f.holds, f.expires, place.word(q, f, state)
  f.expires = nil
  place.leave(q, w.id, f, state)
  f.expires = expires
  if holds then
    job.run_again(q, w.id, f, w.at, 'delayed')
  else
    job.run_at(q, w.id, f, w.at, from)
  end
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
        steer.pour(wait, paused)
      end
    end
    tell(q, 'paused')
  elseif not w.paused and q.paused then
    db.hdel(meta, 'paused')
    if call('EXISTS', paused) == 1 then
      steer.pour(paused, wait)
    end
    q.paused, q.target, q.woken, q.sooner = false, wait, true, true
    tell(q, 'resumed')
  end
end

-- Puts all of one list before what another one has.
function steer.pour(from, to)
  if call('EXISTS', to) == 0 then
    return db.rename(from, to)
  end
  for _, id in ipairs(call('LRANGE', from, 0, -1)) do
    db.rpush_behind(to, id, 0)
  end
  db.del(from)
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
    for _, key in ipairs(steer.lanes(q)) do
      lane.touch(q, key)
    end
  end
end

-- The keys of which anything is known.
function steer.lanes(q)
  local keys = call('ZRANGE', q.own .. 'lanes', 0, -1)
  keys[#keys + 1] = ''
  for _, hash in ipairs({ 'active', 'held' }) do
    for _, key in ipairs(call('HKEYS', q.own .. hash)) do
      keys[#keys + 1] = key
    end
  end
  return keys
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

-- The lists of the jobs in a state, in order: what to read, from where.
function steer.ids_in(q, state, limit)
  db.flush()
  if state == 'waiting' or state == 'paused' then
    local ids = call('LRANGE', q.target, -limit, -1)
    local ordered = {}
    for i = #ids, 1, -1 do
      ordered[#ordered + 1] = ids[i]
    end
    return steer.add_lanes(q, ordered, '-inf', '(' .. int(HALF), limit)
  elseif state == 'prioritized' then
    local ids = call('ZRANGE', q.p .. 'prioritized', 0, limit - 1)
    return steer.add_lanes(q, ids, int(HALF), '+inf', limit)
  end
  return call('ZRANGE', q.p .. state, 0, limit - 1)
end

function steer.add_lanes(q, ids, from, to, limit)
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
    local ids, fresh = steer.ids_in(q, state, window), 0
    for _, id in ipairs(ids) do
      if not seen[id] and removed < w.limit then
        seen[id] = true
        fresh = fresh + 1
        local f = job.load(q, id)
        local since = f and (FINISHED[state] and f.finished_at or f.created_at) or 0
        if since + w.older <= NOW then
          job.remove(q, id, f, (state == 'delayed' or FINISHED[state] or state == 'waiting-children') and state or 'ready', tell_here)
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
  local left = lane.waiting(q) + call('LLEN', q.p .. 'wait') + call('LLEN', q.p .. 'paused') + call('LLEN', q.p .. 'active')
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
  queues[q.name] = nil
end
