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

-- A job that is to be added, out of the list that says so.
local function job_of(w)
  local new = w[8] or {}
  new.queue, new.id, new.name, new.kind, new.data, new.opts = w[2], w[3], w[4], w[5], w[6], A.texts[w[7]]
  return new
end

-- Adds a job; tells what came of it, or why it is refused.
local function enqueue(new)
  local q = queue(new.queue)
  local key = q.p .. new.id
  local exists = db.exists(key)
  if new.parent or exists and next(q.to_prune) then
    -- What is old by now is there no more.
    job.prune_now(q)
    exists = db.exists(key)
  end
  local waits = true
  if new.parent then
    local why
    waits, why = flow.adopt(q, new)
    if why then
      return nil, { error = why, queue = q.name, id = new.id, parent = new.parent.key }
    end
  end
  q.added = q.added + 1
  if not waits or exists then
    tell(q, 'duplicated', 'jobId', new.id)
    return KNOWN
  end
  local window
  if new.says then
    local other
    other, window = duplicate.judge(q, new)
    if other then
      return other
    end
  end
  local full = q.limits.maxLength and check_room(q)
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
  for i, each in ipairs(w.jobs) do
    if not is_new then
      jobs[i] = KNOWN
    else
      local new = job_of(each)
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
local function write(w, q, id, f)
  local verb = w[1] or w.w
  if verb == 'enqueue' then
    return enqueue(job_of(w))
  elseif verb == 'settle' then
    settle.settle(q, id, f, w)
  elseif verb == 'publish' then
    return publish(w)
  elseif verb == 'progress' then
    settle.progress(q, id, w.value)
  elseif verb == 'log' then
    settle.log(q, id, w.line, w.most)
  elseif verb == 'step' then
    return true, settle.step(q, id, w)
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
local function may_add_undone(w, is_long)
  local is_limited, more = queue(w[2]).limits.maxLength, w[8]
  if is_long then
    return is_limited or more and more.parent
  end
  return is_limited and more and (more.parent or more.says)
end

-- Whether a commit may be refused after it has changed something.
local function may_be_undone(c)
  local is_long = #c > 4
  for i = 4, #c do
    local w = c[i]
    if w[1] then
      if w[1] == 'enqueue' and may_add_undone(w, is_long) then
        return true
      end
    elseif is_long and MAY_BE_REFUSED[w.w] and (w.w ~= 'put' or w.expected) then
      return true
    elseif w.jobs then
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

-- Applies a commit: a list of the queue, the id and the token of its lease, or `false` three times, and of its writes.
-- Tells what each of these did, or why it is refused.
local function commit(c)
  local name, id, last = c[1], c[2], c[#c]
  local q, f
  cancelled_before = #news.cancelled
  if name then
    q, f = lease.check(name, id, c[3], last[1] == 'settle' and last[2] == 'complete')
    if not q then
      return nil, { error = 'stale-lease' }
    end
  end
  local can_undo = may_be_undone(c)
  if can_undo then
    db.begin()
    q = name and queue(name)
  end
  local effects = {}
  for i = 4, #c do
    local effect, why = write(c[i], q, id, f)
    if why then
      work.give_up()
      return nil, why
    end
    effects[i - 3] = effect
  end
  release_parents()
  if can_undo then
    db.keep()
    tell_held()
  end
  lane.update_all()
  return effects
end

-- Applies a commit; tells what each write did, the only one without a list, or why it is refused.
function work.commit(c)
  local effects, why = commit(c)
  local only = effects and not effects[2] and effects[1]
  if only == true or type(only) == 'number' then
    return only
  end
  return effects or why
end

-- Applies commits of one request that follow one another.
function together.each(list, verdicts)
  for _, c in ipairs(list[3]) do
    verdicts[#verdicts + 1] = work.commit(c)
  end
end

-- What an error says.
function work.why(problem)
  return type(problem) == 'table' and problem.err or tostring(problem)
end

-- Applies lists of commits, one after the other; tells of each commit what it did, or why it is refused. A list begins
-- with how its commits are applied and how many they are. What is wrong with the data that one list touches is not to
-- hide what became of the others: a text tells it for each of its commits.
function work.commits(lists)
  local verdicts = {}
  for _, list in ipairs(lists) do
    local before = #verdicts
    local is_done, problem = pcall(together[list[1]], list, verdicts)
    if not is_done then
      work.give_up()
      for i = before + 1, before + list[2] do
        verdicts[i] = work.why(problem)
      end
    end
  end
  return cmsgpack.pack(verdicts)
end
