-- The service that bench/served/hello.py is measured beside.
core.register_service("hello", "http", function(applet)
  local body = "hello\n"
  applet:set_status(200)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end)
