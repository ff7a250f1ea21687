-- Applies commits, each as a whole or not at all.

local apply = {}

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

-- Adds a job; tells its id and whether one is there already, or why it is refused.
local function enqueue(new)
  local q = queue(new.queue)
  local waits, why = flow.adopt(q, new)
  if why then
    return nil, { error = why, queue = q.name, id = new.id, parent = new.parent.key }
  end
  q.added = q.added + 1
  if not waits or call('EXISTS', q.p .. new.id) == 1 then
    tell(q, 'duplicated', { 'jobId', new.id })
    return { new.id, 1 }
  end
  local other, window = duplicate.judge(q, new)
  if other then
    return { other, 1 }
  end
  local full = check_room(q)
  if full then
    return nil, full
  end
  job.add(q, new, window)
  return { new.id, 0 }
end

local function publish(w)
  local is_new = record.append(w.event)
  local jobs = {}
  for i, new in ipairs(w.jobs) do
    if not is_new then
      jobs[i] = { new.id, 1 }
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
    settle.settle(q, l.id, f, w)
  elseif verb == 'progress' then
    settle.progress(q, l.id, w.value)
  elseif verb == 'log' then
    settle.log(q, l.id, w.line, w.most)
  elseif verb == 'put' then
    return record.put(w)
  elseif verb == 'delete' then
    record.delete(w)
  else
    local why, effect = steer[verb](w)
    return effect or true, why
  end
  return true
end

-- The parents that a commit adds: they may run if all their children have ended already.
local function parents_of(c)
  local parents = {}
  for _, w in ipairs(c.writes) do
    for _, new in ipairs(w.jobs or { w.job }) do
      if new.awaits then
        parents[#parents + 1] = new
      end
    end
  end
  return parents
end

local MAY_BE_REFUSED = {
  ['retry'] = true, promote = true, remove = true, forget = true, cancel = true, update = true, reprioritize = true,
  reschedule = true, limit = true, put = true,
}

-- Whether a commit may be refused after it has changed something.
local function may_be_undone(c)
  local is_long = #c.writes > 1
  for _, w in ipairs(c.writes) do
    if is_long and MAY_BE_REFUSED[w.w] and (w.w ~= 'put' or w.expected) then
      return true
    end
    for _, new in ipairs(w.jobs or { w.job }) do
      local is_limited = queue(new.queue).limits.maxLength
      if (is_long or w.jobs) and (new.parent or is_limited) or is_limited and (new.parent or new.says) then
        return true
      end
    end
  end
  return false
end

-- Applies a commit; tells what each of its writes did, or why it is refused.
local function commit(c)
  local q, f
  if c.lease then
    q, f = lease.check(c.lease)
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
  local effects, told = {}, #news.pending
  local cancelled = news.cancelled and #news.cancelled or 0
  for i, w in ipairs(c.writes) do
    local effect, why = write(w, c.lease, q, f)
    if why then
      if can_undo then
        db.roll_back()
      end
      for n = #news.pending, told + 1, -1 do
        news.pending[n] = nil
      end
      for n = #(news.cancelled or {}), cancelled + 1, -1 do
        news.cancelled[n] = nil
      end
      return nil, why
    end
    effects[i] = effect
  end
  for _, new in ipairs(parents_of(c)) do
    flow.release(queue(new.queue), new.id)
  end
  db.keep()
  for _, touched in pairs(queues) do
    if next(touched.touched) then
      db.flush()
      lane.update(touched)
    end
  end
  tell_all()
  return effects
end

upkeep.catch_up()
local answers = {}
for i, c in ipairs(A.commits) do
  local effects, why = commit(c)
  answers[i] = effects and { 1, effects } or { 0, why }
end
db.flush()
settle.tell_drained()
wake()
for _, token in ipairs(news.cancelled or {}) do
  call('PUBLISH', OURS .. 'cancelled', token .. ' ' .. A.node)
end
return cmsgpack.pack({ answers, news.told, news.cancelled or {} })
