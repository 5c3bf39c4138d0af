@echo off
rem Starts the program with a Node.js that can run it: %DT_NODE%, or the one on PATH.
setlocal DisableDelayedExpansion
set "node=node"
if defined DT_NODE set "node=%DT_NODE%"
set "major="
set "minor="
for /f "tokens=1,2 delims=v." %%a in ('""%node%" --version 2^>nul"') do (
  set "major=%%a"
  set "minor=%%b"
)
if not defined minor goto unusable
if %major% LSS 22 goto unusable
if %major% EQU 22 if %minor% LSS 13 goto unusable
"%node%" --max-semi-space-size=4 "%~dp0dt.cjs" %*
exit /b %errorlevel%
:unusable
echo dt: needs Node.js 22.13 or newer on PATH, or its path in DT_NODE 1>&2
exit /b 1
