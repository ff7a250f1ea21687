-- Settling: how an attempt's end changes its job.

-- Whether a worker of Node's may think that a job of a queue has stalled.
function settle.may_stall(q)
  if q.may_stall == nil then
    q.may_stall = call('EXISTS', q.p .. 'stalled') == 1
  end
  return q.may_stall
end

-- Ends the attempt of a job under a lease that holds. How is in a list: after `settle` and the verb the value, the number
-- of how long the job is kept, the time of the next attempt, the failure.
function settle.settle(q, id, f, s)
  db.lrem_later(q.active, id)
  db.zrem_later(q.leases, id)
  lane.run(q, f.key, -1)
  if settle.may_stall(q) then
    db.srem(q.p .. 'stalled', id)
  end
  lease.finish(q, id, lease.token_of(f))
  settle[s[2]](q, id, f, s[3], A.keeps[s[4]], s[5], s[6])
end

function settle.complete(q, id, f, value, keep)
  f.attempts = f.attempts + 1
  job.finish(q, id, f, { state = 'completed', value = value }, keep)
  settle.note_drained(q)
end

function settle.fail(q, id, f, _, keep, _, failure)
  job.record(q, id, f, failure)
  local is_exhausted = f.attempts >= (tonumber(job.options(q, id).attempts) or 0)
  local ended = { state = 'failed', failure = failure, is_exhausted = is_exhausted }
  job.finish(q, id, f, ended, keep)
  settle.note_drained(q)
end

settle['retry'] = function(q, id, f, _, _, at, failure)
  job.record(q, id, f, failure)
  job.run_again(q, id, f, at, 'active', 'failure', failure.json)
end

function settle.snooze(q, id, f, _, _, at)
  job.run_again(q, id, f, at, 'active')
end

function settle.release(q, id, f)
  place.back(q, id, f)
  tell(q, 'waiting', 'jobId', id, 'prev', 'active')
end

function settle.await(q, id, f)
  if call('SCARD', q.p .. id .. ':dependencies') > 0 then
    db.zadd(q.p .. 'waiting-children', ticks.score(), id)
    tell(q, 'waiting-children', 'jobId', id, 'prev', 'active')
  else
    job.run_again(q, id, f, NOW, 'active')
  end
end

-- The queues that may have nothing left: their names.
local may_be_drained

beginnings[#beginnings + 1] = function()
  may_be_drained = {}
end

-- Remembers to tell Node that nothing is left, if that is so when the script ends.
function settle.note_drained(q)
  may_be_drained[q.name] = true
end

-- Tells Node which queues have nothing left.
function settle.tell_drained()
  for name in pairs(may_be_drained) do
    local q = queue(name)
    if call('LLEN', q.target) == 0 and call('LLEN', q.active) == 0
      and call('ZCARD', q.p .. 'prioritized') == 0 and call('ZCARD', q.p .. 'delayed') == 0 then
      -- Whoever listens here has heard of it when the last job was handed out.
      call('XADD', q.p .. 'events', 'MAXLEN', '~', q.max_events or '10000', '*', 'event', 'drained', 'by', NODE)
    end
  end
end

-- What a handler said about its progress.
function settle.progress(q, id, progress)
  db.hset(q.p .. id, 'progress', progress)
  tell(q, 'progress', 'jobId', id, 'data', progress)
end

-- Saves a step of a job in the fields `eyn:` and its name: its number, when it was saved, its result. One of the same
-- name keeps its number. How many there are is in the field `eyn`. Tells why it is refused, if it is.
function settle.step(q, id, w)
  local key, field = q.p .. id, 'eyn:' .. w.name
  local number = string.match(call('HGET', key, field) or '', '^%d+')
  if number then
    db.hset(key, field, number .. ' ' .. NOW_TEXT .. ' ' .. w.result)
    return nil
  end
  local last = tonumber(call('HGET', key, 'eyn') or 0)
  if last >= w.most then
    return { error = 'too-many-steps' }
  end
  number = int(last + 1)
  db.hset(key, 'eyn', number, field, number .. ' ' .. NOW_TEXT .. ' ' .. w.result)
end

-- A line of a job's log.
function settle.log(q, id, line, most)
  db.rpush(q.p .. id .. ':logs', line)
  call('LTRIM', q.p .. id .. ':logs', -most, -1)
end
