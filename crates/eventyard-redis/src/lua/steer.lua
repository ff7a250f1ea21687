-- What an operator does to jobs. Each verb tells nothing if it is done, or why it is refused.

-- The state as it is shown.
local function shown(q, f, state)
  if state ~= 'ready' then
    return state
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
    lease.finish(q, w.id, token)
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

-- The options with another priority; they are JSON text, of which nothing else may change.
local function with_priority(text, priority)
  local replaced, count = string.gsub(text or '{}', '"priority":%d+', '"priority":' .. priority, 1)
  if count == 1 then
    return replaced
  elseif text == '{}' or not text then
    return '{"priority":' .. priority .. '}'
  end
  return '{"priority":' .. priority .. ',' .. string.sub(text, 2)
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
  db.hset(q.p .. w.id, 'opts', with_priority(text, w.priority))
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
