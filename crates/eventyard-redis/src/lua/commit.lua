-- Applies commits, each as a whole or not at all.

-- The jobs that the commit under way has added and that wait for children.
local parents
-- How many leases were cancelled before it.
local cancelled_before

beginnings[#beginnings + 1] = function()
  parents, cancelled_before = {}, 0
end

-- Refuses a job that a queue has no room for.
local function check_room(q)
  local most = q.limits.maxLength
  if not most then
    return nil
  end
  db.flush()
  local length = call('LLEN', q.target) + lane.waiting(q)
  for _, state in ipairs({ 'prioritized', 'delayed', 'waiting-children' }) do
    length = length + call('ZCARD', q.p .. state)
  end
  if length >= most then
    return { error = 'queue-full', queue = q.name, limit = most }
  end
end

-- What adding a job answers: whether it was there already, or the id of the one that stands for it.
local ADDED, KNOWN = 0, 1

-- Adds a job; tells what came of it, or why it is refused.
local function enqueue(new)
  local q = queue(new.queue)
  if new.parent or next(q.to_prune) and db.exists(q.p .. new.id) then
    -- What is old by now is there no more.
    job.prune_now(q)
  end
  local waits, why = flow.adopt(q, new)
  if why then
    return nil, { error = why, queue = q.name, id = new.id, parent = new.parent.key }
  end
  q.added = q.added + 1
  if not waits or db.exists(q.p .. new.id) then
    tell(q, 'duplicated', 'jobId', new.id)
    return KNOWN
  end
  local other, window = duplicate.judge(q, new)
  if other then
    return other
  end
  local full = check_room(q)
  if full then
    return nil, full
  end
  job.add(q, new, window)
  if new.awaits then
    parents[#parents + 1] = new
  end
  return ADDED
end

local function publish(w)
  local is_new = record.append(w.event)
  local jobs = {}
  for i, new in ipairs(w.jobs) do
    if not is_new then
      jobs[i] = KNOWN
    else
      new.data = new.data or w.event.body
      local added, why = enqueue(new)
      if why then
        return nil, why
      end
      jobs[i] = added
    end
  end
  return { is_new and 0 or 1, jobs }
end

-- Does one write; tells what it did, or why it is refused.
local function write(w, l, q, f)
  local verb = w.w
  if verb == 'publish' then
    return publish(w)
  elseif verb == 'enqueue' then
    return enqueue(w.job)
  elseif verb == 'settle' then
    settle.settle(q, l, f, w)
  elseif verb == 'progress' then
    settle.progress(q, l.id, w.value)
  elseif verb == 'log' then
    settle.log(q, l.id, w.line, w.most)
  elseif verb == 'step' then
    return true, settle.step(q, l.id, w)
  elseif verb == 'put' then
    return record.put(w)
  elseif verb == 'delete' then
    record.delete(w)
  else
    if w.queue then
      job.prune_now(queue(w.queue))
    end
    local why, effect = steer[verb](w)
    return effect or true, why
  end
  return true
end

-- Lets the parents run that a commit has added and whose children have all ended already.
local function release_parents()
  local added = parents
  if #added > 0 then
    parents = {}
    for _, new in ipairs(added) do
      flow.release(queue(new.queue), new.id)
    end
  end
end

local MAY_BE_REFUSED = {
  ['retry'] = true, promote = true, remove = true, forget = true, cancel = true, update = true, reprioritize = true,
  reschedule = true, limit = true, put = true, step = true,
}

-- Whether adding a job may be refused after something has been changed: by what was done before, or by itself.
local function may_add_undone(new, is_long)
  local is_limited = queue(new.queue).limits.maxLength
  return is_long and (new.parent or is_limited) or is_limited and (new.parent or new.says)
end

-- Whether a commit may be refused after it has changed something.
local function may_be_undone(c)
  local is_long = #c.writes > 1
  for _, w in ipairs(c.writes) do
    if is_long and MAY_BE_REFUSED[w.w] and (w.w ~= 'put' or w.expected) then
      return true
    elseif w.job and may_add_undone(w.job, is_long) then
      return true
    end
    if w.jobs then
      for _, new in ipairs(w.jobs) do
        if may_add_undone(new, true) then
          return true
        end
      end
    end
  end
  return false
end

-- Undoes, as far as that is possible, the commit that was refused or that an error has ended.
function work.give_up()
  if db.may_undo() then
    db.roll_back()
    for n = #news.cancelled, cancelled_before + 1, -1 do
      news.cancelled[n] = nil
    end
  end
  parents, news.held = {}, nil
end

-- Applies a commit; tells what each of its writes did, or why it is refused.
local function commit(c)
  local q, f
  cancelled_before = #news.cancelled
  if c.lease then
    local last = c.writes[#c.writes]
    q, f = lease.check(c.lease, last and last.how == 'complete')
    if not q then
      return nil, { error = 'stale-lease' }
    end
  end
  local can_undo = may_be_undone(c)
  if can_undo then
    db.begin()
    if c.lease then
      q = queue(c.lease.queue)
    end
  end
  local effects = {}
  for i, w in ipairs(c.writes) do
    local effect, why = write(w, c.lease, q, f)
    if why then
      work.give_up()
      return nil, why
    end
    effects[i] = effect
  end
  release_parents()
  db.keep()
  tell_held()
  lane.update_all()
  return effects
end

-- Applies commits, one after the other; tells of each what it did, or why it is refused.
function work.commits(commits)
  local verdicts = {}
  for i, c in ipairs(commits) do
    local effects, why = commit(c)
    verdicts[i] = effects and { 1, effects } or { 0, why }
  end
  return cmsgpack.pack(verdicts)
end
