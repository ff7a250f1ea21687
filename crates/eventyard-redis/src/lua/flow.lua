-- Flows: parents that wait for children. Pending children are in the set `J:dependencies`, completed ones in the hash
-- `J:processed` with what they returned, failed ones that the parent does without in the hash `J:failed`, those that it
-- fails with in the sorted set `J:unsuccessful`. The order in which children were added is in the field `eyc`, and what
-- became of those that did not complete in a field each.

-- The queue and the id that the key of a job means; nothing if it is of another prefix.
local function parts_of(key)
  local head = PREFIX .. ':'
  if string.sub(key, 1, #head) == head then
    local name, id = string.match(string.sub(key, #head + 1), '^([^:]+):(.*)$')
    if name then
      return queue(name), id
    end
  end
end

local function fate_of(child_key)
  return 'ey>' .. child_key
end

local function is_pending(parent_key)
  return call('SCARD', parent_key .. ':dependencies') > 0
end

-- Whether a job has this child, in whatever state.
local function has(parent_key, child_key)
  return call('SISMEMBER', parent_key .. ':dependencies', child_key) == 1
    or call('HEXISTS', parent_key .. ':processed', child_key) == 1
    or call('HEXISTS', parent_key, fate_of(child_key)) == 1
    or call('HEXISTS', parent_key .. ':failed', child_key) == 1
    or (call('ZSCORE', parent_key .. ':unsuccessful', child_key) and true)
end

-- The state of a parent that may take children; nothing if it does not.
local function takes_children(q, id)
  local f = job.load(q, id)
  if not f then
    return nil
  end
  local state = place.state(q, id, f)
  return state == 'waiting-children' or state == 'active', true
end

-- Makes a job that is to be added known to its parent. Tells whether the parent waits for it, or why it can not.
function flow.adopt(q, new)
  if not new.parent then
    return true
  end
  local parent_key, child_key = new.parent.key, q.p .. new.id
  local parent_queue, parent_id = parts_of(parent_key)
  job.prune_now(parent_queue)
  local takes, exists = takes_children(parent_queue, parent_id)
  if not exists then
    return nil, 'no-such-parent'
  elseif not takes then
    return false
  end
  local child_exists = db.exists(child_key)
  if has(parent_key, child_key) then
    -- One that was removed is waited for again.
    if call('HGET', parent_key, fate_of(child_key)) == '' and not child_exists then
      db.hdel(parent_key, fate_of(child_key))
      db.sadd(parent_key .. ':dependencies', child_key)
    end
    return true
  end
  if child_exists then
    if not db.zscore(q.p .. 'completed', new.id) then
      return nil, 'not-its-child'
    end
    db.hset(parent_key .. ':processed', child_key, call('HGET', child_key, 'returnvalue') or 'null')
  else
    db.sadd(parent_key .. ':dependencies', child_key)
  end
  local order = call('HGET', parent_key, 'eyc')
  db.hset(parent_key, 'eyc', order and order .. '\n' .. child_key or child_key)
  return true
end

local function run_parent(q, id, f)
  db.zrem(q.p .. 'waiting-children', id)
  local due = NOW
  if not f.started_at then
    -- The delay of a parent, and its time to live, count from when its children have ended.
    local at = tonumber(call('HGET', q.p .. id, 'eyd') or nil)
    due = math.max(at or NOW + f.delay, NOW)
    if f.expires then
      job.must_begin(q, f.expires, due)
    end
  end
  job.run_at(q, id, f, due, 'waiting-children')
end

-- Lets a job run that waits for children, if none is left to wait for.
function flow.release(q, id)
  if call('ZSCORE', q.p .. 'waiting-children', id) and not is_pending(q.p .. id) then
    local f = job.load(q, id)
    if f then
      run_parent(q, id, f)
    end
  end
end

-- Tells the parent of a job how it ended, and does to the parent what follows from it. `ended.state` is `completed`
-- with a `value`, `failed` with a `failure`, or `removed`.
function flow.tell_parent(q, id, f, ended)
  if not f.parent then
    return
  end
  local is_json, link = pcall(cjson.decode, f.parent)
  if not is_json or not link.queueKey or not link.id then
    return
  end
  local parent_key, child_key = link.queueKey .. ':' .. link.id, q.p .. id
  local parent_queue, parent_id = queue_of(link.queueKey), link.id
  if not parent_queue or not db.exists(parent_key) then
    return
  end
  local dependencies = parent_key .. ':dependencies'
  if ended.state == 'removed' then
    if db.srem(dependencies, child_key) == 1 then
      db.hset(parent_key, fate_of(child_key), '')
      flow.release(parent_queue, parent_id)
    end
    return
  end
  if not has(parent_key, child_key) then
    return
  end
  if ended.state == 'failed' and not (link.fpof or link.cpof or link.idof or link.rdof) then
    return
  end
  db.srem(dependencies, child_key)
  db.hdel(parent_key .. ':failed', child_key)
  db.hdel(parent_key .. ':processed', child_key)
  db.zrem(parent_key .. ':unsuccessful', child_key)
  db.hdel(parent_key, fate_of(child_key))
  if ended.state == 'completed' then
    db.hset(parent_key .. ':processed', child_key, ended.value)
    return flow.release(parent_queue, parent_id)
  end
  db.hset(parent_key, fate_of(child_key), ended.failure.json)
  if link.fpof then
    db.zadd(parent_key .. ':unsuccessful', NOW_TEXT, child_key)
  elseif not link.rdof then
    db.hset(parent_key .. ':failed', child_key, ended.failure.message)
  end
  local is_waiting = call('ZSCORE', parent_queue.p .. 'waiting-children', parent_id)
  if is_waiting and link.cpof then
    return run_parent(parent_queue, parent_id, job.load(parent_queue, parent_id))
  elseif is_waiting and link.fpof then
    local parent = job.load(parent_queue, parent_id)
    db.zrem(parent_queue.p .. 'waiting-children', parent_id)
    local message = string.format('its child %s/%s failed: %s', q.name, id, ended.failure.message)
    local failure = job.failure('child', message)
    local keep = job.keep_of(job.options(parent_queue, parent_id).removeOnFail)
    return job.finish(parent_queue, parent_id, parent, { state = 'failed', failure = failure }, keep)
  end
  flow.release(parent_queue, parent_id)
end
