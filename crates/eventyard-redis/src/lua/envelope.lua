-- Events in the envelope that services on BullMQ use: `{"eventId", "eventType", "timestamp", "source", "data", …}`.

-- The names and ids that Eventyard takes have no more bytes than these.
local MAX_NAME, MAX_ID = 1024, 256
-- What data begins with that stands for bytes that are not JSON.
local DATA_URL = '"data:;base64,'

-- Where a JSON string ends that begins at `at`.
local function string_end(json, at)
  repeat
    at = string.find(json, '["\\]', at + 1)
    local is_escape = at and string.sub(json, at, at) == '\\'
    if is_escape then
      at = at + 1
    end
  until not is_escape
  return at
end

-- Where the members of a JSON object are: by their names in quotes, where each begins and ends; and where the object
-- ends. Nothing if the text is no object.
local function members(json)
  local found, depth, at = {}, 0, 0
  local name, begins
  if not string.find(json, '^%s*{') then
    return nil
  end
  while true do
    at = string.find(json, '["{}%[%],]', at + 1)
    if not at then
      return nil
    end
    local c = string.sub(json, at, at)
    if c == '"' then
      local ends = string_end(json, at)
      if not ends then
        return nil
      elseif depth == 1 and not name then
        name, begins = string.sub(json, at, ends), at
      end
      at = ends
    elseif c == '{' or c == '[' then
      depth = depth + 1
    else
      if depth == 1 and name then
        found[name] = { begins, at - 1 }
        name = nil
      end
      if c ~= ',' then
        depth = depth - 1
      end
      if depth == 0 then
        return found, at
      end
    end
  end
end

-- Whether a member is a string that can be a name.
local function is_name(json, member, most)
  local text = member and string.match(string.sub(json, member[1], member[2]), '^"[^"]*"%s*:%s*(".*")%s*$')
  if not text then
    return false
  end
  local is_text, name = pcall(cjson.decode, '[' .. text .. ']')
  name = is_text and name[1] or ''
  return #name <= most and string.find(name, '%S') and not string.find(name, '[%z\1-\31\127]')
end

-- A JSON object without one of its members.
local function without(json, member)
  local before, behind = string.sub(json, 1, member[1] - 1), string.sub(json, member[2] + 1)
  if string.sub(behind, 1, 1) == ',' then
    return before .. string.sub(behind, 2)
  end
  return string.gsub(before, ',%s*$', '') .. behind
end

-- A job's data with other data in it: the envelope of an event that has it, if the job carries one; otherwise what is
-- given, and of what kind that is. Of jobs of others, what says in our words what happened is taken for an event.
function envelope.with_data(json, kind, data_kind, data)
  local all, ends
  if kind ~= 'd' and kind ~= 'b' then
    all, ends = members(json)
  end
  local is_event = all
    and (kind == 'e' or is_name(json, all['"eventType"'], MAX_NAME) and is_name(json, all['"eventId"'], MAX_ID))
  if not is_event then
    return data, data_kind
  end
  local new = data_kind == 'd' and '"data":' .. data or '"dataBase64":"' .. string.sub(data, #DATA_URL + 1)
  if all['"data"'] and all['"dataBase64"'] then
    json = without(json, all['"dataBase64"'])
    all, ends = members(json)
  end
  local old = all['"data"'] or all['"dataBase64"']
  if old then
    return string.sub(json, 1, old[1] - 1) .. new .. string.sub(json, old[2] + 1), 'e'
  end
  return string.sub(json, 1, ends - 1) .. ',' .. new .. string.sub(json, ends), 'e'
end
