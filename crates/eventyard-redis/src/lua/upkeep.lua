-- What time does to jobs.

-- An instant as text, as people read it.
function upkeep.instant(ms)
  local seconds = math.floor(ms / 1000)
  local days = math.floor(seconds / 86400)
  local rest = seconds - days * 86400
  -- The civil date of a number of days since 1970, counted in eras of 400 years that begin in March.
  local z = days + 719468
  local era = math.floor(z / 146097)
  local day_of_era = z - era * 146097
  local year_of_era = math.floor(
    (day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365
  )
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local from_march = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * from_march + 2) / 5) + 1
  local month = from_march < 10 and from_march + 3 or from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format(
    '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day, math.floor(rest / 3600), math.floor(rest / 60) % 60,
    rest % 60, ms % 1000
  )
end

-- Makes the delayed jobs of a queue runnable whose time has come.
function upkeep.promote(q)
  local last = NOW * PER_MS + PER_MS - 1
  repeat
    local due = call('ZRANGEBYSCORE', q.p .. 'delayed', '-inf', last, 'LIMIT', 0, 1000)
    for _, id in ipairs(due) do
      call('ZREM', q.p .. 'delayed', id)
      local f = job.load(q, id)
      if f then
        job.promote(q, id, f)
      end
    end
  until #due < 1000
end

-- Looks at the queues of an index whose first time has come, and notes when the next one comes.
local function each_due(index, visit, list, divisor)
  for _, name in ipairs(call('ZRANGEBYSCORE', OURS .. index, '-inf', NOW)) do
    local q = queue(name)
    visit(q)
    local first = call('ZRANGE', list(q), 0, 0, 'WITHSCORES')
    if first[2] then
      call('ZADD', OURS .. index, int(math.floor(tonumber(first[2]) / divisor)), name)
    else
      call('ZREM', OURS .. index, name)
    end
  end
end

-- Fails a job that should have begun.
local function expire(q, id, by)
  local f = job.load(q, id)
  local state = f and place.state(q, id, f)
  -- One that a worker of Node's has begun is still in the list.
  if (state == 'ready' or state == 'delayed') and not f.started_at then
    f.expires = nil
    place.leave(q, id, f, state)
    local message = string.format(
      'no attempt began before %s, the end of its time to live; retry it to run it', upkeep.instant(by)
    )
    local keep = job.keep_of(job.options(q, id).removeOnFail)
    job.finish(q, id, f, { state = 'failed', failure = job.failure('expired', message) }, keep)
  end
end

-- Fails the jobs of all queues that should have begun: those first whose time ended first.
local function expire_due()
  local late = {}
  each_due('unbegun', function(q)
    local list = q.own .. 'unbegun'
    local found = call('ZRANGEBYSCORE', list, '-inf', NOW, 'WITHSCORES')
    for i = 1, #found, 2 do
      late[#late + 1] = { q = q, member = found[i], by = tonumber(found[i + 1]) }
      call('ZREM', list, found[i])
    end
  end, function(q) return q.own .. 'unbegun' end, 1)
  table.sort(late, function(a, b)
    return a.by < b.by or a.by == b.by and a.member < b.member
  end)
  for _, job in ipairs(late) do
    expire(job.q, string.sub(job.member, 17), job.by)
  end
end

-- Does what the time has come for, on every queue that has something of the kind.
function upkeep.catch_up()
  if call('EXISTS', OURS .. 'unbegun', OURS .. 'delayed', OURS .. 'reopen') == 0 then
    return
  end
  expire_due()
  each_due('delayed', upkeep.promote, function(q) return q.p .. 'delayed' end, PER_MS)
  db.flush()
  lane.update_all()
  -- Before anything else happens: whoever gets work after a rate allowed more joins behind its lane.
  each_due('reopen', lane.reopen, function(q) return q.own .. 'reopen' end, 1)
end

-- Does what the time has come for on one queue, whoever added its jobs.
function upkeep.catch_up_with(q)
  if not q.is_caught_up then
    q.is_caught_up = true
    upkeep.promote(q)
    if lane.exist(q) then
      lane.update(q)
    end
  end
end

local function ordinal(n)
  local suffix = ({ 'st', 'nd', 'rd' })[n % 10]
  if n % 100 >= 11 and n % 100 <= 13 then
    suffix = nil
  end
  return n .. (suffix or 'th')
end

-- Takes a job from a worker of ours that went silent; true if that buried it.
local function take_over(q, id, f, max_crashes)
  place.leave(q, id, f, 'active')
  call('DEL', q.p .. id .. ':lock')
  call('HDEL', TOKENS, lease.token_of(f))
  local attempt, worker = f.attempts + 1, f.worker or ''
  tell_here(q, 'stalled', 'jobId', id)
  local message = string.format('the worker `%s` stopped without a word during attempt %d', worker, attempt)
  job.record(q, id, f, job.failure('crash', message))
  call('HINCRBY', q.p .. id, 'stc', 1)
  f.crashes = f.crashes + 1
  if f.crashes < max_crashes then
    job.run_again(q, id, f, NOW, 'active')
    tell_there(q, 'stalled', 'jobId', id)
    return false
  end
  message = string.format(
    'attempt %d was the %s whose worker crashed; find out what the job does to its workers, then retry it', attempt,
    ordinal(f.crashes)
  )
  local keep = job.keep_of(job.options(q, id).removeOnFail)
  job.finish(q, id, f, { state = 'failed', failure = job.failure('crash', message) }, keep)
  return true
end

-- The most jobs of one instant that are put into the order in which they were leased.
local TIES = 100

-- The first jobs, up to `limit`, whose time has come in some sorted sets of ours: over all queues, in order. Of two with
-- one time the one with the smaller `rank` comes first.
function upkeep.due(names, suffixes, limit, rank)
  local due = {}
  for _, name in ipairs(names) do
    local q = queue(name)
    for _, suffix in ipairs(suffixes) do
      local found = call('ZRANGEBYSCORE', q.own .. suffix, '-inf', ticks.due(), 'WITHSCORES', 'LIMIT', 0, limit + TIES)
      for i = 1, #found, 2 do
        local id = found[i]
        due[#due + 1] = { q = q, id = id, at = tonumber(found[i + 1]), list = q.own .. suffix, rank = rank(q, id) }
      end
    end
  end
  table.sort(due, function(a, b)
    return a.at < b.at or a.at == b.at and a.rank < b.rank
  end)
  for i = #due, limit + 1, -1 do
    due[i] = nil
  end
  return due
end

-- The token of a job's lease: they rise.
local function token_of(q, id)
  return call('HGET', q.p .. id, 'eyl') or ''
end

local function id_of(_, id)
  return id
end

-- Takes over the jobs whose lease has ended.
function upkeep.end_leases(names, limit, max_crashes, done)
  for _, each in ipairs(upkeep.due(names, { 'leases' }, limit, token_of)) do
    local q, id = each.q, each.id
    local f = job.load(q, id)
    local is_ours = f and f.lease and db.is_in(q.active, id) and lease.is_ours(q, id, f, lease.token_of(f))
    call('ZREM', each.list, id)
    if is_ours then
      if take_over(q, id, f, max_crashes) then
        done.buried = done.buried + 1
      else
        done.taken_over = done.taken_over + 1
      end
    end
  end
end

-- Looks for jobs of Node's workers that went silent, as each of them does: at most once in an interval, over all.
function upkeep.check_stalled(q, interval, max_stalled)
  if call('SET', q.p .. 'stalled-check', int(NOW), 'PX', interval, 'NX') == false then
    return 0
  end
  local found = 0
  for _, id in ipairs(call('SMEMBERS', q.p .. 'stalled')) do
    local is_held = call('EXISTS', q.p .. id .. ':lock') == 1 or call('ZSCORE', q.leases, id)
    if not is_held and call('LREM', q.active, 1, id) > 0 then
      found = found + 1
      if call('HINCRBY', q.p .. id, 'stc', 1) > max_stalled then
        call('HSET', q.p .. id, 'defa', 'job stalled more than allowable limit')
      end
      call('RPUSH', q.target, id)
      q.woken = true
      tell(q, 'waiting', 'jobId', id, 'prev', 'active')
      tell(q, 'stalled', 'jobId', id)
    end
  end
  call('DEL', q.p .. 'stalled')
  local active = call('LRANGE', q.active, 0, -1)
  for i = 1, #active, 1000 do
    call('SADD', q.p .. 'stalled', unpack(active, i, math.min(i + 999, #active)))
  end
  return found
end

-- Removes finished jobs that are kept no longer.
function upkeep.remove_old(names, limit)
  local removed = 0
  for _, each in ipairs(upkeep.due(names, { 'expiring:completed', 'expiring:failed' }, limit, id_of)) do
    local q, state = each.q, string.match(each.list, '[^:]+$')
    call('ZREM', each.list, each.id)
    if call('ZSCORE', q.p .. state, each.id) then
      job.remove(q, each.id, job.load(q, each.id), state, tell_here)
      removed = removed + 1
    end
  end
  return removed
end
