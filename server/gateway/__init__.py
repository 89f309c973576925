"""The live gateway: Socket.IO v5 over WebSocket, on python-socketio's own seams."""
