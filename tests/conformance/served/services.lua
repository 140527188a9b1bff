-- What services.py says, for HAProxy: the log shows one as <lua.NAME>, the other as <python.NAME>.
local function answer(applet, status, fields, pieces)
  applet:set_status(status)
  for name, value in pairs(fields) do applet:add_header(name, value) end
  applet:start_response()
  for _, piece in ipairs(pieces) do applet:send(piece) end
end

core.register_service("hello", "http", function(applet)
  answer(applet, 200, { ["content-length"] = "5" }, { "hello" })
end)
core.register_service("pieces", "http", function(applet)
  answer(applet, 200, {}, { "hel", "lo" })
end)
core.register_service("created", "http", function(applet)
  answer(applet, 201, { ["content-length"] = "0", ["location"] = "/new" }, {})
end)
core.register_service("echo", "http", function(applet)
  local body = applet:receive()
  answer(applet, 200, { ["content-length"] = string.len(body), ["x-path"] = applet.path }, { body })
end)
core.register_service("late", "http", function(applet)
  core.msleep(400)
  answer(applet, 200, { ["content-length"] = "4" }, { "late" })
end)
core.register_service("broken", "http", function(applet)
  error("on purpose")
end)
