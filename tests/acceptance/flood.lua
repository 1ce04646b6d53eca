-- Refused requests as an attacker sends them: random origin, path, header names and User-Agent.
local symbols = "abcdefghijklmnopqrstuvwxyz0123456789"

local function name(length)
  local letters = {}
  for i = 1, length do
    local at = math.random(#symbols)
    letters[i] = symbols:sub(at, at)
  end
  return table.concat(letters)
end

init = function(arguments)
  math.randomseed(os.time())
end

request = function()
  local path = wrk.path .. "/" .. name(8) .. "/" .. name(6)
  local headers = { ["Origin"] = "https://" .. name(10) .. ".example.net", ["User-Agent"] = name(6) }
  if math.random(2) == 1 then
    return wrk.format("GET", path, headers)
  end
  headers["Access-Control-Request-Method"] = "PUT"
  headers["Access-Control-Request-Headers"] = "x-" .. name(5)
  return wrk.format("OPTIONS", path, headers)
end
