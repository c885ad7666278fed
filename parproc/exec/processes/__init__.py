"""The parent's side of tasks that run in processes of their own: started, listened to, ended."""
