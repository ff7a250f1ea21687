-- Places: where the jobs of a queue stand, and how they come there.

-- Makes a job runnable behind the others of its priority, or before them if it is LIFO; tells its place.
function place.ready(q, id, job)
  q.woken = true
  if job.key then
    return lane.put(q, id, job.key, job.priority, job.lifo)
  end
  lane.touch(q, '')
  if job.priority > 0 then
    local list, score = q.p .. 'prioritized', nil
    if job.lifo then
      score = lane.front(q, job.priority)
    else
      score = job.priority * CLASS + call('INCR', q.p .. 'pc') % CLASS
    end
    db.zadd(list, score, id)
    return score
  end
  local number = take_number()
  if job.lifo then
    db.rpush_behind(q.target, id, 0)
    return -number
  end
  db.lpush(q.target, id)
  return number
end

-- Puts a job back to the place that it had among those that wait.
function place.back(q, id, job)
  q.woken = true
  local at = tonumber(job.place)
  if job.key then
    return lane.put(q, id, job.key, job.priority, job.lifo, at or job.priority * CLASS)
  end
  lane.touch(q, '')
  if job.priority > 0 then
    return db.zadd(q.p .. 'prioritized', at or job.priority * CLASS, id)
  end
  -- Behind those that were there before it. Jobs of BullMQ's have no number, and nobody goes behind them.
  db.flush()
  local behind = 0
  while at and behind < 1000 do
    local other = call('LINDEX', q.target, -1 - behind)
    local number = other and tonumber(call('HGET', q.p .. other, 'eyp') or nil)
    if not number or number > at then
      break
    end
    behind = behind + 1
  end
  db.rpush_behind(q.target, id, behind)
end

-- Makes a job run at an instant that has not come.
function place.delay(q, id, due)
  local first = due * PER_MS
  local last = call('ZREVRANGEBYSCORE', q.p .. 'delayed', first + PER_MS - 1, first, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = first
  if last[2] then
    score = math.min(tonumber(last[2]) + 1, first + PER_MS - 1)
  end
  db.zadd(q.p .. 'delayed', score, id)
  call('ZADD', OURS .. 'delayed', 'LT', int(due), q.name)
  q.sooner = true
end

-- Takes a job that could run out of where it waits.
local function leave_ready(q, id, job)
  if job.key then
    lane.drop(q, id, job.key, job.priority)
  elseif job.priority == 0 or db.zrem(q.p .. 'prioritized', id) == 0 then
    db.lrem(q.target, id)
  end
  lane.touch(q, job.key)
end

-- The state that a job is in; `ready` if it could run.
function place.state(q, id, job)
  if job.finished_at then
    for _, state in ipairs({ 'completed', 'failed' }) do
      if db.zscore(q.p .. state, id) then
        return state
      end
    end
  end
  for _, state in ipairs({ 'delayed', 'waiting-children' }) do
    if call('ZSCORE', q.p .. state, id) then
      return state
    end
  end
  if job.started_at and db.is_in(q.active, id) then
    return 'active'
  end
  return 'ready'
end

-- Takes a job out of the state that it is in.
function place.leave(q, id, job, state)
  if state == 'ready' then
    leave_ready(q, id, job)
  elseif state == 'active' then
    db.lrem(q.active, id)
    db.zrem_later(q.leases, id)
    lane.run(q, job.key, -1)
    db.srem(q.p .. 'stalled', id)
  else
    db.zrem(q.p .. state, id)
    if state == 'delayed' and job.holds then
      db.hdel(q.p .. id, 'eyh')
      lane.hold(q, job.key, -1)
      job.holds = nil
    elseif state == 'completed' or state == 'failed' then
      db.zrem(q.own .. 'expiring:' .. state, id)
    end
  end
  if job.expires then
    db.zrem(q.own .. 'unbegun', job.expires.member)
  end
end

-- Where a job was, in the words of BullMQ's events.
function place.word(q, job, state)
  if state ~= 'ready' then
    return state
  elseif job.priority > 0 then
    return 'prioritized'
  end
  return q.target == q.p .. 'wait' and 'wait' or 'paused'
end
