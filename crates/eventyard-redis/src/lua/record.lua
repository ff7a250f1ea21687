-- The event log and documents: what no queue of BullMQ's has.

-- Adds an event to the log; false if it is there already.
function record.append(event)
  local key = OURS .. 'event:' .. event.id
  if db.exists(key) then
    return false
  end
  local number = take_number()
  db.create(key, 'body', event.body, 'kind', event.kind, 'story', event.story, 'at', NOW_TEXT, 'number', int(number))
  db.zadd(OURS .. 'log', number, event.id)
  db.zadd(OURS .. 'log:kind:' .. event.kind, number, event.id)
  db.zadd(OURS .. 'log:story:' .. event.story, number, event.id)
  return true
end

-- Takes an event out of the log.
local function remove(id)
  local key = OURS .. 'event:' .. id
  local known = call('HMGET', key, 'kind', 'story')
  call('ZREM', OURS .. 'log', id)
  if known[1] then
    call('ZREM', OURS .. 'log:kind:' .. known[1], id)
    call('ZREM', OURS .. 'log:story:' .. known[2], id)
  end
  call('DEL', key)
end

-- Whether a job carries an event.
local function is_carried(id, names)
  for _, name in ipairs(names) do
    if db.exists(PREFIX .. ':' .. name .. ':' .. id) then
      return true
    end
  end
  return false
end

-- Removes the oldest events that are not to be kept and that no job carries.
function record.forget_events(keep, limit, names)
  if not keep.count and not keep.age then
    return 0
  end
  local beyond = keep.count and math.max(call('ZCARD', OURS .. 'log') - keep.count, 0) or 0
  local removed, from, index = 0, 0, 0
  while removed < limit do
    local ids = call('ZRANGE', OURS .. 'log', from, from + 99)
    local gone = 0
    for _, id in ipairs(ids) do
      local at = tonumber(call('HGET', OURS .. 'event:' .. id, 'at') or 0)
      if not (index < beyond or keep.age and at + keep.age <= NOW) or removed >= limit then
        return removed
      end
      index = index + 1
      if not is_carried(id, names) then
        remove(id)
        removed, gone = removed + 1, gone + 1
      end
    end
    if #ids < 100 then
      return removed
    end
    from = from + #ids - gone
  end
  return removed
end

-- The version of a document; false if it does not exist.
local function version_of(w)
  local document = call('HGET', OURS .. 'documents:' .. w.collection, w.key)
  return document and tonumber(string.match(document, '^%d+'))
end

-- The highest version that a collection has lost: whatever is new there has a higher one.
local function lost_version(collection)
  return tonumber(call('HGET', OURS .. 'lost-versions', collection) or 0)
end

-- Writes a document; tells its version, or why it is refused.
function record.put(w)
  local found = version_of(w)
  local actual = found or 0
  if w.expected and w.expected ~= actual then
    return nil, { error = 'version-conflict', collection = w.collection, key = w.key, actual = actual }
  end
  local version = (found or lost_version(w.collection)) + 1
  db.hset_large(OURS .. 'documents:' .. w.collection, w.key, int(version) .. ' ' .. w.value)
  db.zadd(OURS .. 'document-keys:' .. w.collection, 0, w.key)
  return version
end

-- Removes a document, if it exists.
function record.delete(w)
  local version = version_of(w)
  if not version then
    return
  end
  if version > lost_version(w.collection) then
    db.hset(OURS .. 'lost-versions', w.collection, int(version))
  end
  db.hdel_later(OURS .. 'documents:' .. w.collection, w.key)
  db.flush()
  db.zrem(OURS .. 'document-keys:' .. w.collection, w.key)
end
