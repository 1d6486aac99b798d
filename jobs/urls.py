"""Addresses of the jobs' pages, below /jobs/."""

from django.urls import path

from jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("tray/", views.tray, name="tray"),
    path("clear/", views.clear, name="clear"),
    path("files/<str:value>/", views.ticket, name="ticket"),
    path("<uuid:job_id>/", views.detail, name="detail"),
    path("<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:job_id>/seen/", views.seen, name="seen"),
    path("<uuid:job_id>/files/<int:number>/", views.file, name="file"),
]
