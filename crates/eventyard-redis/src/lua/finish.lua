-- How jobs end and go.

-- Appends to a field that holds a JSON array.
local function append_json(key, field, json, most)
  local list = call('HGET', key, field)
  if most and list then
    local is_json, items = pcall(cjson.decode, list)
    if is_json and #items >= most then
      while #items >= most do
        table.remove(items, 1)
      end
      list = #items > 0 and cjson.encode(items) or nil
    end
  end
  if list and string.sub(list, -1) == ']' and #list > 2 then
    list = string.sub(list, 1, -2) .. ',' .. json .. ']'
  else
    list = '[' .. json .. ']'
  end
  db.hset(key, field, list)
end

-- Counts the running attempt as one that failed, and remembers why.
function job.record(q, id, f, failure)
  local key = q.p .. id
  f.attempts = f.attempts + 1
  db.hset(key, 'atm', int(f.attempts), 'failedReason', failure.message)
  append_json(key, 'stacktrace', cjson.encode(failure.stack or failure.message), 10)
  local record = string.format(
    '{"attempt":%d,"worker":%s,"startedAt":%s,"endedAt":%s,"failure":%s}',
    f.attempts, cjson.encode(f.worker or ''), int(f.started_at or NOW), NOW_TEXT, failure.json
  )
  append_json(key, 'eya', record, f.attempts > 100 and 100 or nil)
end

-- Finishes a job that was taken out, and keeps it as long as it is to be kept. `ended.state` is `completed` with a
-- `value`, or `failed` with a `failure`.
function job.finish(q, id, f, ended, keep)
  local key, state = q.p .. id, ended.state
  if state == 'completed' then
    tell(q, state, 'jobId', id, 'returnvalue', ended.value, 'prev', 'active')
  else
    local failure = ended.failure
    tell(q, state, 'jobId', id, 'failedReason', failure.message, 'prev', 'active', 'failure', failure.json)
    if ended.is_exhausted then
      tell(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', int(f.attempts))
    end
  end
  if keep.count == 0 or keep.age == 0 then
    db.del_job_later(key)
  else
    if state == 'completed' then
      db.hset(key, 'returnvalue', ended.value, 'finishedOn', NOW_TEXT, 'atm', int(f.attempts))
    else
      db.hset(key, 'failedReason', ended.failure.message, 'eyf', ended.failure.json, 'finishedOn', NOW_TEXT)
      db.hdel(key, 'defa')
    end
    job.prune_unless(q, state, keep.count)
    local fraction = ticks.fraction()
    db.zadd_later(q.p .. state, NOW_TEXT .. fraction, id)
    if keep.age then
      db.zadd_later(q.own .. 'expiring:' .. state, int(NOW + keep.age) .. fraction, id)
    end
    if keep.count then
      job.prune_later(q, state, keep.count)
    end
  end
  if f.says then
    duplicate.dismiss(q, id, f)
  end
  if f.parent then
    flow.tell_parent(q, id, f, ended)
  end
end

-- Whether each removal matters by itself: because it may be undone, or somebody hears of it.
local function is_watched()
  return db.may_undo() or HEARD
end

-- Whether the end of one of some failed jobs, which has not ended what a parent waits for, matters to others. A job that
-- completed has told them.
local function are_tied(q, ids)
  for _, id in ipairs(ids) do
    local ties = call('HMGET', q.p .. id, 'deid', 'parent')
    if ties[1] or ties[2] then
      return true
    end
  end
  return false
end

-- Keeps the newest of the finished jobs.
local function prune(q, state, count)
  db.flush()
  local beyond = call('ZCARD', q.p .. state) - count
  if beyond <= 0 then
    return
  end
  local ids = call('ZRANGE', q.p .. state, 0, beyond - 1)
  if is_watched() or state == 'failed' and are_tied(q, ids) then
    for _, id in ipairs(ids) do
      job.remove(q, id, job.load(q, id), state, tell_here)
    end
    return
  end
  call('ZREMRANGEBYRANK', q.p .. state, 0, beyond - 1)
  db.in_parts('ZREM', q.own .. 'expiring:' .. state, ids)
  local keys, theirs, p = {}, {}, q.p
  for n, id in ipairs(ids) do
    local key = p .. id
    keys[n] = key
    job.add_keys_beside(theirs, key)
  end
  db.on_keys('UNLINK', keys)
  -- Few jobs have more than their hash, and looking costs less than telling the file that nothing was removed.
  if db.on_keys('EXISTS', theirs) > 0 then
    db.on_keys('UNLINK', theirs)
  end
end

-- Keeps the newest of the finished jobs: when others have ended too, unless each removal matters.
function job.prune_later(q, state, count)
  if is_watched() then
    prune(q, state, count)
  else
    q.to_prune[state] = count
  end
end

-- Does what was put off on one queue.
function job.prune_now(q)
  for state, count in pairs(q.to_prune) do
    q.to_prune[state] = nil
    prune(q, state, count)
  end
end

-- Does what was put off on one queue, unless there is no more than what keeps so many.
function job.prune_unless(q, state, count)
  if q.to_prune[state] and q.to_prune[state] ~= count then
    job.prune_now(q)
  end
end

-- Removes a job that is not active. Tells it by `how`.
function job.remove(q, id, f, state, how)
  if not f then
    db.zrem(q.p .. state, id)
    return
  end
  place.leave(q, id, f, state)
  db.del(job.keys(q.p .. id));
  (how or tell)(q, 'removed', 'jobId', id, 'prev', place.word(q, f, state))
  duplicate.dismiss(q, id, f)
  flow.tell_parent(q, id, f, { state = 'removed' })
end

-- Why a job ended that no handler ended.
function job.failure(kind, message)
  return { message = message, json = cjson.encode({ kind = kind, message = message }) }
end
