-- Plain jobs: those that have nothing that few have. They come by the thousand; those that follow each other are one list,
-- and what it takes is done for all of it. What does not fit is done one by one, as any commit.

local function keys_of(q, jobs, step)
  local keys = {}
  for i = 1, #jobs, step do
    keys[#keys + 1] = q.p .. jobs[i]
  end
  return keys
end

-- Applies a commit of a list by itself: what is wrong with the data that it touches is told of it alone.
local function alone(commit)
  local is_done, verdict = pcall(work.commit, commit)
  if is_done then
    return verdict
  end
  work.give_up()
  return work.why(verdict)
end

-- The write that adds one of the jobs of a list.
local function one_of(list, i)
  local jobs = list[6]
  return { 'enqueue', list[3], jobs[i], jobs[i + 1], list[5], jobs[i + 2], list[4] }
end

-- Adds the jobs of a list if nothing stands in the way of any. After the head come the queue, the number of their options,
-- the kind of their data, then the id, the name and the data of each. No id is there twice, and none is a number.
local function add_all(list)
  local q, opts, kind, jobs = queue(list[3]), A.texts[list[4]], list[5], list[6]
  local keys = keys_of(q, jobs, 3)
  if q.limits.maxLength or db.on_keys('EXISTS', keys) > 0 then
    return false
  end
  if not q.set.known then
    job.queue_is_known(q)
  end
  lane.touch(q, '')
  q.woken, q.added = true, q.added + #keys
  local wait = waiting('push', q.target)
  for i, key in ipairs(keys) do
    local id, name = jobs[3 * i - 2], jobs[3 * i - 1]
    tell(q, 'added', 'jobId', id, 'name', name)
    tell(q, 'waiting', 'jobId', id)
    wait[#wait + 1] = id
    call(
      'HSET', key, 'name', name, 'data', jobs[3 * i], 'opts', opts, 'timestamp', NOW_TEXT, 'delay', '0', 'priority', '0',
      'eyt', kind, 'eyp', int(take_number())
    )
  end
  lane.update_all()
  return true
end

-- Adds the jobs of a list, each by a commit of its own.
function together.add(list, verdicts)
  local are_added = add_all(list)
  for i = 1, #list[6], 3 do
    verdicts[#verdicts + 1] = are_added and ADDED or alone({ false, false, false, one_of(list, i) })
  end
end

-- Adds the jobs of a list by one commit.
function together.bulk(list, verdicts)
  if add_all(list) then
    verdicts[#verdicts + 1] = ADDED
    return
  end
  local commit = { false, false, false }
  for i = 1, #list[6], 3 do
    commit[#commit + 1] = one_of(list, i)
  end
  verdicts[#verdicts + 1] = work.commit(commit)
end

-- Whether the leases of all jobs of a list hold, and the jobs are there.
local function all_hold(done)
  for i, key in ipairs(done.keys) do
    if not lease.is_locked(key, done.tokens[i]) then
      return false
    end
  end
  return db.on_keys('EXISTS', done.keys) == #done.keys
end

-- Ends the attempts of jobs whose leases hold, and keeps the jobs.
local function complete_all(q, done, keep, verdicts)
  job.prune_unless(q, 'completed', keep.count)
  if settle.may_stall(q) then
    db.in_parts('SREM', q.p .. 'stalled', done.ids)
  end
  lane.touch(q, '')
  local active, leases, held = waiting('leave', q.active), waiting('rem', q.leases), waiting('hdel', TOKENS)
  local completed, unlocked = waiting('add', q.p .. 'completed'), later.del
  local expiring = keep.age and waiting('add', q.own .. 'expiring:completed')
  local expires = keep.age and int(NOW + keep.age)
  for i, key in ipairs(done.keys) do
    local id, token, value = done.ids[i], done.tokens[i], done.values[i]
    local written = try('HSET', key, 'returnvalue', value, 'finishedOn', NOW_TEXT, 'atm', done.attempts[i])
    if type(written) == 'table' then
      -- Its key holds something else.
      verdicts[#verdicts + 1] = work.why(written)
    else
      tell(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
      lease.note_end(token)
      active[#active + 1], leases[#leases + 1], held[#held + 1], unlocked[#unlocked + 1] = id, id, token, done.locks[i]
      local fraction, at = ticks.fraction(), #completed
      completed[at + 1], completed[at + 2] = NOW_TEXT .. fraction, id
      if expiring then
        expiring[#expiring + 1] = expires .. fraction
        expiring[#expiring + 1] = id
      end
      verdicts[#verdicts + 1] = true
    end
  end
  if keep.count then
    job.prune_later(q, 'completed', keep.count)
  end
  settle.note_drained(q)
  lane.update_all()
end

-- Ends the attempts of jobs that are done, each by a commit of its own under its lease. After the head come the queue and
-- the number of how long they are kept, then the id, the token, the number of the attempt and the value of each. No token
-- is there twice.
function together.complete(list, verdicts)
  local q, keep, jobs = queue(list[3]), A.keeps[list[4]], list[5]
  local done = { keys = keys_of(q, jobs, 4), ids = {}, tokens = {}, attempts = {}, values = {} }
  for n = 1, #done.keys do
    local i = 4 * n - 3
    done.ids[n], done.tokens[n], done.attempts[n], done.values[n] = jobs[i], jobs[i + 1], jobs[i + 2], jobs[i + 3]
  end
  done.locks = lease.read_locks(done.keys)
  local stay = keep.count ~= 0 and keep.age ~= 0
  -- Whoever listens hears of each job that makes room for another.
  if stay and not (HEARD and keep.count) and all_hold(done) then
    complete_all(q, done, keep, verdicts)
    return
  end
  for n, id in ipairs(done.ids) do
    local how = { 'settle', 'complete', done.values[n], list[4] }
    verdicts[#verdicts + 1] = alone({ q.name, id, done.tokens[n], how })
  end
end
