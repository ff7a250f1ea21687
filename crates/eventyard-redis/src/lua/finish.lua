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
    db.del_later(job.keys(key))
  else
    if state == 'completed' then
      db.hset(key, 'returnvalue', ended.value, 'finishedOn', NOW_TEXT, 'atm', int(f.attempts))
    else
      db.hset(key, 'failedReason', ended.failure.message, 'eyf', ended.failure.json, 'finishedOn', NOW_TEXT)
      db.hdel(key, 'defa')
    end
    if q.to_prune[state] and q.to_prune[state] ~= keep.count then
      job.prune_now(q)
    end
    db.zadd_later(q.p .. state, ticks.score(), id)
    if keep.age then
      db.zadd_later(q.own .. 'expiring:' .. state, ticks.score(NOW + keep.age), id)
    end
    if keep.count then
      job.prune_later(q, state, keep.count)
    end
  end
  duplicate.dismiss(q, id, f)
  flow.tell_parent(q, id, f, ended)
end

-- Whether each removal matters by itself: because it may be undone, or somebody hears of it.
local function is_watched()
  return db.may_undo() or A.heard
end

-- Keeps the newest of the finished jobs.
local function prune(q, state, count)
  db.flush()
  local beyond = call('ZCARD', q.p .. state) - count
  if beyond <= 0 then
    return
  end
  local ids, keys = {}, {}
  for _, id in ipairs(call('ZRANGE', q.p .. state, 0, beyond - 1)) do
    local ties = not is_watched() and call('HMGET', q.p .. id, 'deid', 'parent')
    if not ties or ties[1] or ties[2] then
      job.remove(q, id, job.load(q, id), state, tell_here)
    else
      ids[#ids + 1] = id
      for _, key in ipairs({ job.keys(q.p .. id) }) do
        keys[#keys + 1] = key
      end
    end
  end
  db.in_parts('ZREM', q.p .. state, ids)
  db.in_parts('ZREM', q.own .. 'expiring:' .. state, ids)
  for i = 1, #keys, 1000 do
    call('UNLINK', unpack(keys, i, math.min(i + 999, #keys)))
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
